/** Asks a version of the daemon, in a process of its own, whether it can take over: what it says is believed, nothing else. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fail, ok, type Result } from '../base/result.ts';

/** What it says on its stdout, as JSON. */
export type Proof = Proven | Unproven;

export interface Proven {
  readonly ok: true;
  /** Of the package. */
  readonly version: string;
  readonly build: string;
  readonly node: string;
  /** It can be exec'd. */
  readonly inPlace: boolean;
}

interface Unproven {
  readonly ok: false;
  readonly kind: 'config_invalid' | 'unfit';
  readonly message: string;
}

/** Why there is no proof: what the version does or does not, as the end of a sentence. */
export type NoProof = Pick<Unproven, 'kind' | 'message'>;

const MAX_GATHERED = 64 * 1024;

/** `command`: the program and its arguments; `more`: of its environment. It is killed when `withinMs` are over. */
export async function askForProof(
  command: readonly string[],
  more: Readonly<Record<string, string>>,
  withinMs: number,
): Promise<Result<Proven, NoProof>> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: '/',
    detached: true,
    env: { ...process.env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
    for (const stream of [child.stdout, child.stderr]) stream.destroy(); // somebody else may hold them open
  }, withinMs);
  const texts = Promise.all([gathered(child.stdout), gathered(child.stderr)]);
  const failure = await new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve(null));
  });
  clearTimeout(deadline);
  const [said, complaint] = await texts;
  if (late) return unfit(`has not answered within ${withinMs / 1000} s`);
  if (failure !== null) return unfit(`cannot be run: ${failure}`);
  const proof = proofIn(said);
  if (proof === null) return unfit(`does not say that it can take over: ${lastLine(complaint || said)}`);
  if (proof.ok) return ok(proof);
  const { kind, message } = proof;
  const what = kind === 'config_invalid' ? 'cannot read the config' : 'cannot take over';
  return fail({ kind, message: `${what}: ${message}` });
}

const unfit = (message: string): Result<never, NoProof> => fail({ kind: 'unfit', message });

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

/** Another version may say more, but has to say this. */
function proofIn(text: string): Proof | null {
  try {
    const proof: Partial<Record<keyof Proven | keyof Unproven, unknown>> = JSON.parse(lastLine(text));
    const { version, build, node, inPlace, message } = proof;
    if (proof.ok === true && typeof version === 'string') {
      return {
        ok: true,
        version,
        build: String(build),
        node: String(node),
        inPlace: inPlace === true,
      };
    }
    if (proof.ok !== false || typeof message !== 'string') return null;
    return { ok: false, kind: proof.kind === 'config_invalid' ? 'config_invalid' : 'unfit', message };
  } catch {
    return null;
  }
}

/** What Node says of a program that has failed ends with its own version: the error stands before. */
function lastLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^Node\.js v/.test(line));
  return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? 'it says nothing').trim();
}
