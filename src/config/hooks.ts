/** The keys below `hooks`: commands around the life of a run. */
import type { HookPlan, HooksPlan } from '../core/plan.ts';
import { short } from './converted.ts';
import { positiveDuration } from './durations.ts';
import { execWords } from './exec.ts';
import { map } from './maps.ts';
import { orNone } from './scalar.ts';
import { word } from './scalars.ts';
import type { Shape } from './shape.ts';

const hook = (onFailure: 'fail' | 'ignore', failure: string): Shape<HookPlan | null> =>
  orNone(
    short(
      map({
        exec: {
          as: 'command',
          shape: execWords,
          doc: "The command, split as `command` is and run without a shell, whatever `shell` says; write sh -c '…' for one.",
        },
        timeout: {
          as: 'timeoutMs',
          shape: positiveDuration,
          fallback: '30s',
          doc: 'When it takes longer it is killed, and has failed.',
        },
        on_failure: { as: 'onFailure', shape: word('fail', 'ignore'), fallback: onFailure, doc: failure },
      }),
      'exec',
    ),
  );

export const hooks: Shape<HooksPlan> = map({
  pre_start: {
    as: 'pre_start',
    shape: hook('fail', 'fail: the start has failed; ignore: the process is started all the same.'),
    fallback: 'none',
    doc: 'Run before the process is started: a command, or a map; or none.',
  },
  post_start: {
    as: 'post_start',
    shape: hook('fail', 'fail: the instance is drained, and the start has failed; ignore: it runs on.'),
    fallback: 'none',
    doc: 'Run when the instance is ready, before it counts as running; or none.',
  },
  pre_drain: {
    as: 'pre_drain',
    shape: hook(
      'ignore',
      'fail: in a rolling restart the instance runs on and its turn has failed; any other end goes on.',
    ),
    fallback: 'none',
    doc: 'Run before the signal of a drain is sent; or none.',
  },
  post_stop: {
    as: 'post_stop',
    shape: hook('ignore', 'fail: counts as a failure of the run; ignore: it is only told.'),
    fallback: 'none',
    doc: 'Run when nothing of the run is left; or none.',
  },
});
