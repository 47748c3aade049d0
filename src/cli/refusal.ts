/** Why a command ends without having done its work: a sentence, the next step, and the exit code. */
import { lstatSync, readFileSync } from 'node:fs';
import { type Absence, DaemonError, NoDaemonError, ProtocolError } from '../client/errors.ts';
import { ERROR_KINDS, EXIT, type ExitCode, type LastFault, lastFaultFile } from '../protocol/errors.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Io } from './io.ts';
import { folded, printable } from './render/text.ts';
import { soon } from './render/words.ts';
import { oneVersion, twoVersions } from './versions.ts';

export class Refusal extends Error {
  readonly exit: ExitCode;
  readonly hint: string | undefined;
  /** What the daemon calls it; else what its exit code says. */
  readonly kind: string;

  constructor(exit: ExitCode, message: string, hint?: string, kind = KINDS[exit]) {
    super(message);
    this.exit = exit;
    this.hint = hint;
    this.kind = kind;
  }
}

const KINDS: Readonly<Record<ExitCode, string>> = {
  [EXIT.done]: 'done',
  [EXIT.failed]: 'failed',
  [EXIT.usage]: 'usage',
  [EXIT.degraded]: 'degraded',
  [EXIT.noDaemon]: 'no_daemon',
  [EXIT.configInvalid]: 'config_invalid',
  [EXIT.conflict]: 'conflict',
  [EXIT.timeout]: 'timeout',
  [EXIT.interrupted]: 'interrupted',
};

/** Any error as a refusal; undefined for one that is nobody's fault but the program's. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof DaemonError) {
    return (
      misunderstood(error) ?? new Refusal(ERROR_KINDS[error.kind].exit, error.message, error.hint, error.kind)
    );
  }
  if (error instanceof NoDaemonError) {
    const died = error.absence === 'absent' && isSocket(error.socket);
    return new Refusal(EXIT.noDaemon, error.message, died ? AFTER_DEATH : afterEnd(error));
  }
  if (error instanceof ProtocolError) return new Refusal(EXIT.failed, error.message, protocolHint(error));
  return undefined;
}

/** A daemon takes its socket away when it ends, unless it was killed: then what it ran may run on. */
export function isSocket(socket: string): boolean {
  try {
    return lstatSync(socket).isSocket();
  } catch {
    return false;
  }
}

/** Where the last one has left word of why it ended, that is said first. */
function afterEnd({ socket, absence }: NoDaemonError): string | undefined {
  const next = NEXT_STEP[absence];
  const last = absence === 'absent' || absence === 'lost' ? lastFault(socket) : undefined;
  if (last === undefined) return next;
  const { at, fault, log } = last;
  const told = `the last one ended at ${soon(at, new Date())}: ${printable(fault)} (see ${printable(log)})`;
  return absence === 'lost' || next === undefined ? told : `${told}; ${next}`;
}

function lastFault(socket: string): LastFault | undefined {
  try {
    const value: Partial<LastFault> = JSON.parse(readFileSync(lastFaultFile(socket), 'utf8'));
    const { at, fault, log } = value;
    const isWhole = typeof at === 'string' && typeof fault === 'string' && typeof log === 'string';
    return isWhole ? { at, fault, log } : undefined;
  } catch {
    return undefined;
  }
}

const AFTER_DEATH =
  'the last one did not end in good order, and what it ran may run on: "tsup-visor start" takes care of that';

/** Says why a command ended, in the one form that there is. Throws an error that is nobody's fault but the program's. */
export function refuse(
  error: unknown,
  { stderr }: Pick<Io, 'stderr'>,
  options: Partial<GlobalOptions> = {},
): ExitCode {
  const refusal = refusalOf(error);
  if (refusal === undefined) throw error;
  // What the terminal has shown of Ctrl-C is written over.
  if (refusal.exit === EXIT.interrupted && stderr.isTTY && options.json !== true) stderr.write('\r');
  stderr.write(
    options.json === true
      ? refusalJson(refusal, options)
      : broken(asTyped(refusalText(refusal), options), stderr),
  );
  return refusal.exit;
}

/** On a terminal in lines that break between words; a report of several lines has marks under its places. */
function broken(text: string, { isTTY, columns }: Io['stderr']): string {
  if (!isTTY || columns === undefined || text.trimEnd().includes('\n')) return text;
  return `${folded(text.trimEnd(), columns, '  ').join('\n')}\n`;
}

/** A command that a message names, as it would have to be typed to mean the same daemon. */
export function asTyped(text: string, { config, socket }: Pick<GlobalOptions, 'config' | 'socket'>): string {
  const given = [
    ...(config === undefined ? [] : ['-c', config]),
    ...(socket === undefined ? [] : ['--socket', socket]),
  ];
  return given.length === 0 ? text : text.replaceAll('"tsup-visor ', `"tsup-visor ${given.join(' ')} `);
}

function refusalText({ message, hint }: Refusal): string {
  if (hint === undefined) return `tsup-visor: ${message}\n`;
  // After the lines of a report, one that ends with a mark under a place, the hint needs a line of its own.
  return `tsup-visor: ${message}${message.includes('\n') ? '\n' : '; '}${hint}\n`;
}

/** One line, so that it is found among others: those that say what goes on are text even so. */
export function refusalJson({ exit, kind, message, hint }: Refusal, options: Partial<GlobalOptions>): string {
  const next = hint === undefined ? {} : { hint: asTyped(hint, options) };
  return `${JSON.stringify({ error: { code: exit, kind, message: asTyped(message, options), ...next } })}\n`;
}

const NEXT_STEP: Readonly<Record<Absence, string | undefined>> = {
  absent: 'start one with "tsup-visor start"',
  forbidden: 'only the user that started the daemon may talk to it, and whoever "socket_mode" lets in',
  lost: 'see "tsup-visor status" for what came of it; if the daemon has died, "tsup-visor start" brings it back, and daemon.log has its last words',
  unusable: undefined,
};

/** A daemon of another version does not know what was asked, or not like this. */
function misunderstood({ kind, message, daemon }: DaemonError): Refusal | undefined {
  const versions = twoVersions(daemon);
  const isUnknown =
    kind === 'bad_request' ||
    kind === 'method_not_allowed' ||
    (kind === 'not_found' && NO_ROUTE.test(message));
  if (versions === undefined || !isUnknown) return undefined;
  return new Refusal(ERROR_KINDS[kind].exit, `${message} (${versions})`, oneVersion(), kind);
}

const NO_ROUTE = /^there is no \/v\d/;

function protocolHint({ version, daemon }: ProtocolError): string | undefined {
  if (version === undefined) return 'give the path of another socket with --socket';
  const versions = twoVersions(daemon);
  return versions === undefined ? oneVersion() : `${versions}: ${oneVersion()}`;
}
