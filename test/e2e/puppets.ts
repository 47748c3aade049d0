/** Programs for the end-to-end tests, named by how they behave. */
import type { Program } from './world.ts';

const bash = (script: string): readonly string[] => ['bash', '-c', script];

/** Short limits everywhere, so that a test that goes wrong ends soon. */
const QUICK: Program = {
  ready: { when: 'notify', timeout: '5s' },
  drain: { timeout: '20s' },
  stop: { timeout: '1s' },
  backoff: { initial: '50ms', factor: 1, max: '50ms', jitter: '0%', give_up_after: 3 },
  rollout: { min_healthy_time: '200ms', healthy_deadline: '3s' },
};

/** Ready at once, ends when asked. */
export const steady: Program = { ...QUICK, command: bash('echo READY=1 >&3; exec sleep 1000') };

export const crashesAtOnce: Program = { ...QUICK, command: bash('exit 7') };

export const neverReady: Program = {
  ...QUICK,
  command: bash('exec sleep 1000'),
  ready: { when: 'notify', timeout: '500ms' },
};

/** Asked to end, it does so as soon as there is this file. */
export const drainsUntilThereIs = (file: string): Program => ({
  ...QUICK,
  drain: { timeout: '2m' },
  command: bash(
    `trap 'until [ -e "${file}" ]; do sleep 0.05; done; exit 0' TERM; echo READY=1 >&3; while :; do sleep 0.05; done`,
  ),
});

/** Asked to end, it takes this long for it. */
export const slowToDrain = (seconds: number): Program => ({
  ...QUICK,
  command: bash(`trap 'sleep ${seconds}; exit 0' TERM; echo READY=1 >&3; while :; do sleep 0.05; done`),
});

/**
 * Has four children, each of which stays when its parent ends: one ignores TERM, one has its own group, one its own
 * session, and one was forked twice so that its parent is gone. Ready once all four are there.
 */
export const leavesChildren: Program = {
  ...QUICK,
  drain: { timeout: '500ms' },
  command: bash(`
    stay='trap "" TERM; echo >&4; while :; do sleep 1000; done'
    exec 4> >(head -c 4 > /dev/null; echo READY=1 >&3)
    bash -c "$stay" ignores-term &
    (set -m; bash -c "$stay" own-group & )
    setsid bash -c "$stay" own-session &
    (setsid bash -c "$stay" forked-twice & )
    exec 4>&-
    trap 'exit 0' TERM
    while :; do sleep 0.05; done
  `),
};
export const KINDS_OF_CHILDREN = ['ignores-term', 'own-group', 'own-session', 'forked-twice'];
