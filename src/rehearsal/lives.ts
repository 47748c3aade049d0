/** How long processes of one kind live when nobody ends them: so that an end by chance is not taken for a cut. */
import { basename } from 'node:path';
import type { Round, Sighting } from './round.ts';
import { isLasting } from './work.ts';

/** What was not seen alive later than this after the signal may have ended by it. */
export const MOMENT_MS = 200;
/** Between two looks it may have begun or ended. */
const UNSURE_MS = 50;
/** Of so short a life any moment may see the end: only what was seen to end it would prove anything. */
const TOO_SHORT_MS = 3 * MOMENT_MS;
/** Of a life's length: jobs of one kind do not take the same time to the millisecond. */
const CLEARLY_SHORTER = 0.8;

export interface Life {
  readonly kind: string;
  readonly ms: number;
  /** False: it lived at least so long. */
  readonly ended: boolean;
}

/** `bash hello.sh` of `/bin/bash hello.sh 17`: what is run, without what it is run with. */
export function kindOf({ command }: Pick<Sighting, 'command'>): string {
  const [program = '', first = ''] = command.split(' ');
  const name = basename(program);
  return first === '' || first.startsWith('-') ? name : `${name} ${basename(first)}`;
}

/** Of those that no signal had a part in. */
export function livesIn({ signalAt, processes }: Round): Life[] {
  return processes.filter(isLasting).map((one): Life => {
    const { firstAt, lastAt, goneAt } = one;
    const kind = kindOf(one);
    const isUntouched =
      goneAt !== null && (signalAt === null || goneAt < signalAt || lastAt > signalAt + 2 * MOMENT_MS);
    if (isUntouched) return { kind, ms: goneAt - firstAt, ended: true };
    return { kind, ms: Math.min(lastAt, signalAt ?? lastAt) - firstAt, ended: false };
  });
}

/** Who was there at `at` and gone in the moment that followed, however long it took to look again. */
export const goneInTheMoment = (alive: readonly Sighting[], at: number): Sighting[] =>
  alive.filter(({ goneAt, lastAt }) => goneAt !== null && lastAt <= at + MOMENT_MS);

export type Verdict = 'cut' | 'natural' | 'unknown';

/** `unknown`: no other of its kind was seen for long enough. */
export function judge(suspect: Sighting, lives: readonly Life[]): Verdict {
  if (suspect.killedBy !== null) return 'cut';
  const { firstAt, lastAt, goneAt } = suspect;
  const age = (lastAt + (goneAt ?? lastAt)) / 2 - firstAt + UNSURE_MS;
  const kin = lives.filter(({ kind }) => kind === kindOf(suspect));
  const ended = kin.filter((life) => life.ended).map(({ ms }) => ms);
  const shortest = Math.min(...ended);
  if (shortest < TOO_SHORT_MS) return 'natural';
  if (ended.length > 0) return age < CLEARLY_SHORTER * shortest ? 'cut' : 'natural';
  return age < CLEARLY_SHORTER * Math.max(0, ...kin.map(({ ms }) => ms)) ? 'cut' : 'unknown';
}
