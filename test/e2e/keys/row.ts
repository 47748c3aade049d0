/** A row of the table: one key of the config, and what changing it alone means for a fleet that runs. */
import { join } from 'node:path';
import type { Client } from '../../../src/client/index.ts';
import type { WireEvent } from '../../../src/protocol/events.ts';
import type { ChangeEffect, ReloadReply } from '../../../src/protocol/replies.ts';
import type { InstanceStatus } from '../../../src/protocol/status.ts';
import { ROOT } from '../build.ts';
import type { EventLog } from '../event-log.ts';
import type { Program, World } from '../world.ts';
import type { Door } from './doors.ts';

/** Where a program of the table runs. */
export interface Ground {
  readonly name: string;
  /** Of this program alone; it is there before the program is. */
  readonly dir: string;
  /** An address that answers well, and notes what was asked below it. */
  readonly url: string;
  /** Ports at which connections are taken and counted, those of this program alone. */
  readonly doors: readonly [Door, Door];
}

export interface Told {
  readonly key?: string;
  readonly from?: string;
  readonly to?: string;
}

export interface Row {
  /** As the config room declares it; below `programs.*` it begins there. */
  readonly key: string;
  /** The program before the change. */
  program(at: Ground): Program;
  /** Programs beside it, which stay as they are. */
  others?(at: Ground): Readonly<Record<string, Program>>;
  /** What the key is changed to. */
  to(at: Ground): unknown;
  /** In the printed plan, where that is not simply the key and both values. */
  readonly told?: Told | ((at: Ground) => Told) | undefined;
  readonly effect: ChangeEffect;
  /** What runs may be touched at once, as the new value says so. */
  readonly actsAtOnce?: true;
  /** Only root may do this. */
  readonly asRoot?: true;
  /** It is not ready before the change, and need not be. */
  readonly begins?: false;
  /** Takes note of what is, before the change. */
  before?(at: Ground, status: InstanceStatus): void;
  /** The stated effect, on what runs. */
  shows(seat: Seat): Promise<void>;
}

export type EventOf<T extends WireEvent['type']> = Extract<WireEvent, { readonly type: T }>;

/** A row's program in a daemon that runs. */
export interface Seat extends Ground {
  readonly world: World;
  readonly client: Client;
  readonly log: EventLog;
  /** Its first instance, as it ran before the change. */
  readonly before: InstanceStatus;
  readonly reply: ReloadReply;
  now(index?: number): Promise<InstanceStatus>;
  see(what: string, isSo: (status: InstanceStatus) => boolean, index?: number): Promise<InstanceStatus>;
  /** An event of this program that has come or is yet to come. */
  sees<T extends WireEvent['type']>(type: T, matches?: (event: EventOf<T>) => boolean): Promise<EventOf<T>>;
  /** The paths below its address that were asked for. */
  asked(): string[];
  /** The signals that a run was sent, in order. */
  signals(run: number | null): string[];
  /** What its scripts have noted: words, each with its run. */
  notes(): { readonly word: string; readonly run: number }[];
  /** Begins its next run with the config that it has. Does not wait. */
  renew(): Promise<void>;
  /** The status of the next run once it is ready. */
  renewed(after?: number | null): Promise<InstanceStatus>;
}

const FIXTURES = join(ROOT, 'test/fixtures');

/** A program without children that does what each signal is given to do. */
export const heeds = (begin: string, on: Readonly<Record<string, string>> = {}): readonly string[] => [
  'bash',
  join(FIXTURES, 'heeds-signals.sh'),
  begin,
  ...Object.entries(on).flat(),
];

/** A command that notes the word, and then does what the other command does. */
export const notes = ({ dir }: Pick<Ground, 'dir'>, word: string, command = ''): string =>
  `bash ${join(FIXTURES, 'notes.sh')} ${notesOf(dir)} ${word} ${command}`.trim();

export const notesOf = (dir: string): string => join(dir, 'notes');

export const READY = 'echo READY=1 >&3';

/** Short limits, as nobody waits for what is not the matter of the row. */
export const quick: Program = {
  ready: { when: 'notify', timeout: '20s' },
  drain: { timeout: '20s' },
  stop: { timeout: '2s' },
  backoff: { initial: '20ms', factor: 1, max: '2h', jitter: '0%' },
  rollout: { min_healthy_time: '20ms', healthy_deadline: '20s' },
};

/** Ready at once, ends when asked; USR1 crashes it, USR2 ends it well. */
export const steady: Program = { ...quick, command: heeds(READY, { USR1: 'exit 7', USR2: 'exit 0' }) };
