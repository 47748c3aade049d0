/** Starts a daemon in the background and waits until it says that it is up. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { connect } from '../client/client.ts';
import { NoDaemonError } from '../client/errors.ts';
import { EXIT, type ExitCode } from '../protocol/errors.ts';
import type { Context } from './context.ts';
import { pause } from './pause.ts';
import { configFile } from './place.ts';
import { Refusal } from './refusal.ts';
import type { Place } from './whereabouts.ts';

/**
 * Returns when a daemon answers, the one that was started or another that was faster: the instances that it has found
 * at work. Throws why none does.
 */
export async function launch(context: Context, signal: AbortSignal): Promise<readonly string[]> {
  const place = await context.place();
  const giveUpAt = performance.now() + ANSWER_WITHIN_MS;
  for (;;) {
    const report = await reportOf(spawnDaemon(context, place), signal);
    if (report.ok) return report.took_over ?? [];
    if (report.kind !== 'locked') throw new Refusal(EXITS[report.kind] ?? EXIT.failed, report.message);
    // Whoever has the lock is about to answer, or about to end: then there is room for the next.
    if (await answers(place.socket, signal)) return [];
    if (performance.now() > giveUpAt)
      throw new Refusal(EXIT.noDaemon, `${report.message}, but it does not answer`);
  }
}

/** What the daemon writes on descriptor 3 before it closes it. */
type Report =
  | { readonly ok: true; readonly took_over?: readonly string[] }
  | { readonly ok: false; readonly kind: string; readonly message: string };

const EXITS: Readonly<Record<string, ExitCode>> = {
  config_invalid: EXIT.configInvalid,
  state_locked: EXIT.conflict,
  config_taken: EXIT.conflict,
};

/** Another daemon has the lock. */
const ANSWER_WITHIN_MS = 10_000;
const SETTLED_WITHIN_MS = 500;
const RETRY_MS = 20;

interface Child {
  readonly errors: Readable;
  readonly report: Readable;
  /** Rejects when it could not be run at all. */
  readonly unborn: Promise<never>;
  /** From here on it lives without the command. */
  release(): void;
}

/**
 * A daemon has little that is short-lived. With a small nursery V8 gives back some ten seconds after the start what
 * the start took: measured, 57 MB with 200 instances and 5 KiB for each further one, against 62 MB and 18 KiB.
 */
const THRIFT = ['--max-semi-space-size=1'];

function spawnDaemon({ io, options }: Context, { socket, given }: Place): Child {
  const args = ['--config', configFile(options, io), ...(given ? ['--socket', socket] : [])];
  const child = spawn(
    process.execPath,
    [...THRIFT, io.daemonProgram, ...args, '--report-fd', '3', '--start', 'none'],
    {
      cwd: '/',
      detached: true,
      env: io.env,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    },
  );
  // Node gives a readable stream for each descriptor that was asked for as a pipe.
  const [, , errors, report] = child.stdio as unknown as readonly [null, null, Readable, Readable];
  return {
    errors,
    report,
    unborn: new Promise((_, reject) => child.once('error', reject)),
    release() {
      child.unref();
      errors.destroy();
      report.destroy();
    },
  };
}

async function reportOf(child: Child, signal: AbortSignal): Promise<Report> {
  const cancel = () => child.release();
  signal.addEventListener('abort', cancel, { once: true });
  const complaints = gathered(child.errors);
  try {
    const text = (await Promise.race([gathered(child.report), child.unborn])).trim();
    signal.throwIfAborted();
    return parsed(text) ?? failed(await lastWords(complaints));
  } catch (error) {
    signal.throwIfAborted();
    return failed(`cannot run the daemon: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    signal.removeEventListener('abort', cancel);
    child.release();
  }
}

const failed = (message: string): Report => ({ ok: false, kind: 'failed', message });

/** A daemon that ended without a report has closed its stderr too, unless something holds that open. */
const LAST_WORDS_MS = 1000;

async function lastWords(complaints: Promise<string>): Promise<string> {
  const words = await Promise.race([complaints, pause(LAST_WORDS_MS).then(() => '')]);
  const said = words.trim();
  return said === '' ? 'the daemon ended without a word' : `the daemon ended at once:\n${said}`;
}

const MAX_GATHERED = 64 * 1024;

/** All that comes until the end; never rejects, for a stream that is cut off has said what it said. */
function gathered(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stream.setEncoding('utf8');
    stream.on('data', (part: string) => {
      if (text.length < MAX_GATHERED) text += part;
    });
    stream.on('error', () => resolve(text));
    stream.on('close', () => resolve(text));
  });
}

function parsed(text: string): Report | undefined {
  try {
    const report: unknown = JSON.parse(text);
    // Both ends are of one package; the shape is checked as far as it is used.
    return typeof report === 'object' && report !== null && 'ok' in report ? (report as Report) : undefined;
  } catch {
    return undefined;
  }
}

/** Within a while: its socket may still be on its way. */
async function answers(socket: string, signal: AbortSignal): Promise<boolean> {
  const client = connect(socket);
  const giveUpAt = performance.now() + SETTLED_WITHIN_MS;
  while (performance.now() < giveUpAt) {
    try {
      await client.status({ usage: false }, { signal });
      return true;
    } catch (error) {
      if (!(error instanceof NoDaemonError) || error.absence === 'forbidden') throw error;
    }
    await pause(RETRY_MS, signal);
    signal.throwIfAborted();
  }
  return false;
}
