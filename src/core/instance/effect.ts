/** What an instance wants done, as data. */
import type { Run } from '../../base/ids.ts';
import type { SignalName } from '../../base/signal-name.ts';
import type { HookName, HookPlan } from '../plan.ts';
import type { ExitRecord, Instance } from './instance.ts';
import type { Life } from './phase.ts';
import type { Purpose, Watch } from './watch.ts';

export type InstanceEffect =
  | { readonly type: 'spawn'; readonly life: Life }
  /** To the leader alone. */
  | { readonly type: 'signal'; readonly run: Run; readonly signal: SignalName }
  /** To all that is left of the run. */
  | { readonly type: 'signal_tree'; readonly run: Run; readonly signal: SignalName }
  /** Answered by `tree`, now and at each change, until nothing is left. */
  | { readonly type: 'survey'; readonly run: Run }
  /** Nothing of the run is left. */
  | { readonly type: 'forget'; readonly run: Run }
  /** Runs the hook; answered by `hooked`, whatever becomes of it. */
  | { readonly type: 'hook'; readonly life: Life; readonly hook: HookName; readonly plan: HookPlan }
  /** Ends the hook of the run that is under way, and all that it has started; `hooked` follows. */
  | { readonly type: 'unhook'; readonly run: Run }
  | { readonly type: 'watch'; readonly life: Life; readonly watch: Watch }
  | { readonly type: 'unwatch'; readonly run: Run; readonly purpose: Purpose }
  | { readonly type: 'announce'; readonly what: InstanceNews };

export type InstanceNews =
  | { readonly type: 'spawned'; readonly run: Run; readonly pid: number; readonly generation: number }
  | { readonly type: 'spawn_failed'; readonly run: Run; readonly stage: string; readonly error: string }
  | { readonly type: 'ready'; readonly run: Run }
  | { readonly type: 'signalled'; readonly run: Run; readonly signal: string; readonly to: 'leader' | 'tree' }
  | { readonly type: 'reported'; readonly run: Run; readonly what: 'stopping' | 'drained' }
  | { readonly type: 'overdue'; readonly run: Run }
  | { readonly type: 'hook_failed'; readonly run: Run; readonly hook: HookName; readonly error: string }
  | { readonly type: 'health'; readonly run: Run; readonly ok: boolean; readonly detail: string }
  | { readonly type: 'worn'; readonly run: Run; readonly why: 'memory' | 'age'; readonly detail: string }
  | { readonly type: 'watchdog'; readonly run: Run; readonly detail: string }
  | { readonly type: 'exited'; readonly run: Run; readonly exit: ExitRecord }
  | { readonly type: 'gone'; readonly run: Run; readonly drained: boolean; readonly killed: boolean };

export interface Step {
  readonly instance: Instance;
  readonly effects: readonly InstanceEffect[];
}
