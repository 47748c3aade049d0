/** What instances write, on its way to their logs: carried there where the system can, else theirs to write. */
import { join } from 'node:path';
import type { InstanceId, Run } from '../base/ids.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Instance } from '../core/instance/instance.ts';
import { bodyOf, lifeOf } from '../core/instance/phase.ts';
import type { ProgramPlan } from '../core/plan.ts';
import { Captures, type CapturesOptions, type Handled, isPiped } from '../logs/captures.ts';
import type { FileAim } from '../logs/outlet.ts';
import type { LineWatch } from '../ports/checks.ts';
import type { OpenOutput } from '../ports/output.ts';
import type { Plumbing } from '../ports/plumbing.ts';
import type { LogPath, ProcessEvents } from '../ports/processes.ts';
import { logPaths, outputPaths } from './spawn-request.ts';
import { keysNotHeld } from './unheld-keys.ts';

export interface OutputOptions extends Omit<CapturesOptions, 'plumbing' | 'folder'> {
  /** Null: nothing can be carried here. */
  readonly plumbing: Plumbing | null;
  readonly runDir: string;
  readonly logPath: LogPath;
  /** Files for a program to write to by itself. */
  readonly openFiles: OpenOutput;
}

export interface InstanceOutput {
  readonly open: OpenOutput;
  readonly warnings: readonly string[];
  /** Takes up what an earlier daemon has left to these. */
  adopt(instances: Iterable<Instance>): void;
  /** What is to become of what these write, from now on. */
  follow(programs: readonly ProgramPlan[]): void;
  /** Puts aside what these have written so far. Fails in one sentence. */
  rotate(ids: readonly InstanceId[]): Result<readonly Handled[], string>;
  /** Somebody else has put it aside: what these write from now on goes to what is at their paths now. */
  reopen(ids: readonly InstanceId[]): Result<readonly Handled[], string>;
  /** All that a leader wrote is in its log before its end is told. */
  before(events: ProcessEvents): ProcessEvents;
  /** What comes after the end of a file was not written before. */
  under(lines: LineWatch): LineWatch;
  /** All that was written so far is in the logs when this returns. */
  drain(): void;
  dismiss(id: InstanceId): void;
  droppedBytes(id: InstanceId): number;
  /** `done`: the next daemon may write to the logs. */
  close(done: () => void): void;
}

export function createOutput({
  plumbing,
  runDir,
  logPath,
  openFiles,
  ...rest
}: OutputOptions): InstanceOutput {
  const folder = join(runDir, 'logs');
  if (plumbing === null) return uncarried(openFiles, folder);
  const captures = new Captures({ ...rest, plumbing, folder });
  let planned: readonly ProgramPlan[] = [];
  const aimsOf = (ids: readonly InstanceId[]): FileAim[] =>
    ids.flatMap((id) =>
      planned.filter(({ name }) => id.startsWith(`${name}:`)).flatMap((program) => filesOf(id, program)),
    );
  const filesOf = (id: InstanceId, program: ProgramPlan): FileAim[] => {
    const { stdout, stderr } = logPaths({ id }, program, logPath);
    return [stdout, stderr].flatMap((path) => (path === null ? [] : [{ path, logging: program.logs }]));
  };
  return {
    open: captures.openOutput,
    get warnings() {
      return captures.warnings;
    },
    adopt(instances) {
      for (const { id, phase } of instances) {
        const life = lifeOf(phase);
        if (life === null) continue;
        captures.adopt({
          id,
          run: life.run,
          pid: bodyOf(phase)?.pid ?? null,
          logging: life.program.logs,
          ...outputPaths({ id }, life.program, logPath),
        });
      }
    },
    follow(programs) {
      planned = programs;
      captures.follow(programs);
    },
    rotate: (ids) => ok(captures.rotate(aimsOf(ids))),
    reopen: (ids) => ok(captures.reopen(aimsOf(ids))),
    before: (events) => ({
      ...events,
      spawnFailed(run, stage, message) {
        captures.ended(run);
        events.spawnFailed(run, stage, message);
      },
      exited(run, exit) {
        captures.ended(run, () => events.exited(run, exit));
      },
    }),
    under: (lines) => ({
      watch: lines.watch,
      endOf(path) {
        captures.drain(path);
        return lines.endOf(path);
      },
    }),
    drain: () => captures.drain(),
    dismiss: (id) => captures.dismiss(id),
    droppedBytes: (id) => captures.droppedBytes(id),
    close(done) {
      captures.close(() => {
        plumbing.close();
        done();
      });
    },
  };
}

const UNCARRIED =
  'programs write to their log files by themselves here: koffi cannot be loaded, so nothing can be carried there';

const CANNOT_ROTATE =
  'cannot rotate logs here: programs write to them by themselves, for koffi cannot be loaded; let logrotate do it, with copytruncate';
const CANNOT_REOPEN =
  'cannot reopen logs here: programs write to them by themselves, for koffi cannot be loaded; rotate with copytruncate instead';

/** Of runs that an earlier daemon has begun, where it could. */
const unread = (ids: Iterable<InstanceId>): string =>
  `what is written by ${[...ids].join(', ')} goes into pipes that cannot be read here, and waits in them: koffi cannot be loaded; start the daemon where it can be, or restart them before their pipes are full`;

function uncarried(open: OpenOutput, folder: string): InstanceOutput {
  const piped = new Map<Run, InstanceId>();
  let unheld = '';
  return {
    open,
    get warnings() {
      const sentence = `${UNCARRIED}${unheld}`;
      return piped.size === 0 ? [sentence] : [sentence, unread(piped.values())];
    },
    adopt(instances) {
      for (const { id, phase } of instances) {
        const run = bodyOf(phase)?.life.run;
        if (run !== undefined && isPiped(id, folder)) piped.set(run, id);
      }
    },
    follow(programs) {
      unheld = keysNotHeld(programs);
    },
    rotate: () => fail(CANNOT_ROTATE),
    reopen: () => fail(CANNOT_REOPEN),
    before: (events) => ({
      ...events,
      exited(run, exit) {
        piped.delete(run);
        events.exited(run, exit);
      },
    }),
    under: (lines) => lines,
    drain() {},
    dismiss() {},
    droppedBytes: () => 0,
    close: (done) => done(),
  };
}
