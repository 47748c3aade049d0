// Deliberate faults in who may be touched, when, and what follows: extra instances, canary, check, failures, the ways back.
import { mutant } from './mutant.mjs';

const GATES = 'rollout/gates.ts';
const BACK = 'rollout/back.ts';
const CANARY = 'rollout/canary.ts';
const STEP = 'rollout/step.ts';

export const MUTANTS = [
  mutant(
    'extra ones are begun last',
    GATES,
    'if (extras.length > 0) return',
    'if (extras.length > 9) return',
  ),
  mutant(
    'an extra one is not waited for',
    GATES,
    'if (coming !== undefined) return',
    'if (coming === rollout) return',
  ),
  mutant(
    'extra ones leave with the first turn',
    GATES,
    '!ordinary(rollout).every(isSettled)',
    '!ordinary(rollout).some(isSettled)',
  ),
  mutant(
    'extra ones are never told to leave',
    GATES,
    'if (isThere) effects.push(leave(',
    'if (isThere && !turn.extra) effects.push(leave(',
  ),
  mutant(
    'extra ones are left by an abort',
    BACK,
    "return seat.wish.want === 'down' ? [] : [leave(rollout, turn, patience(rollout.target))];",
    'return [];',
  ),
  mutant(
    'those who wait for their turns count as excused',
    GATES,
    "if (isActive(turn) || isLate(turn) || turn.step.kind === 'failed') excused",
    "if (isActive(turn) || turn.step.kind !== 'done') excused",
  ),
  mutant(
    'a kill does not hold up the next turn',
    GATES,
    'if (notBefore !== null && !costsNothing(seat))',
    'if (notBefore !== null && costsNothing(seat) && seat.leaving)',
  ),
  mutant('a hold does not say so', CANARY, "if (canary.kind !== 'held') return null;", 'return null;'),
  mutant(
    'one more than the canary',
    CANARY,
    'return canary.count - begun.length;',
    'return canary.count - begun.length + 1;',
  ),
  mutant(
    'a canary is promoted too soon',
    CANARY,
    'now.mono >= canary.until) return',
    'now.mono >= canary.since.mono) return',
  ),
  mutant(
    'a hold for somebody to end ends by itself',
    CANARY,
    'holdMs === null ? null : after(now.mono, holdMs)',
    'after(now.mono, holdMs ?? 50)',
  ),
  mutant(
    'a canary is held before it is done',
    CANARY,
    'done.length < canary.count ||',
    'done.length > canary.count ||',
  ),
  mutant(
    'nobody can promote a canary',
    STEP,
    'return advance(promoted(rollout), view);',
    'return advance(rollout, view);',
  ),
  mutant('a canary may fail', 'rollout/failures.ts', 'isOnTrial(rollout.canary) ||', ''),
  mutant(
    'one more may fail',
    'rollout/failures.ts',
    'failed.length > maxFailures ?',
    'failed.length > maxFailures + 1 ?',
  ),
  mutant(
    'the check is not asked',
    'rollout/turn.ts',
    'rollout.check === null ||',
    'rollout.check !== null ||',
  ),
  mutant('a no is a yes', STEP, 'const step = ok\n', 'const step = ok || detail\n'),
  mutant('any answer will do', STEP, '&& step.attempt === attempt);', '&& step.attempt !== null);'),
  mutant(
    'a check that nobody waits for goes on',
    'rollout/checks.ts',
    '.filter((attempt) => attempt !== answered && !wanted.includes(attempt))',
    '.filter((attempt) => attempt === -answered)',
  ),
  mutant(
    'one after the other is all at once',
    GATES,
    'if (rollout.after === null || ahead === null) return whyHeld(rollout);',
    'if (rollout.after !== -1) return whyHeld(rollout);',
  ),
  mutant(
    'what comes after goes on, whatever became of the one ahead',
    STEP,
    "ahead === null || ahead.state === 'succeeded'",
    "ahead === null || ahead.state !== 'running'",
  ),
  mutant(
    'whoever waits for another is not told of its end',
    'fleet/changes.ts',
    "if (other.after === rollout.id && !isOver(other)) this.toRollout(other.id, { type: 'look' });",
    '',
  ),
  mutant(
    'a revert leaves what was done',
    BACK,
    "if (turn.step.kind !== 'draining') return { ...turn, step: { kind: 'pending' } };",
    "if (turn.step.kind !== 'draining') return { ...turn, step: turn.step.kind === 'done' ? turn.step : { kind: 'pending' } };",
  ),
  mutant(
    'a revert forgets whom a kill has cut',
    BACK,
    "if (turn.step.kind !== 'draining') return",
    'if (turn.step.kind) return',
  ),
  mutant('a revert goes to where it was', BACK, '      target: back,\n', ''),
  mutant(
    'a revert cannot end',
    STEP,
    "return { state: 'reverted', reason: rollout.reverting.why };",
    "return { state: 'paused', reason: rollout.reverting.why };",
  ),
  mutant(
    'a bad check leaves what works',
    BACK,
    "  if (step.kind === 'failed' && step.refused) return false;\n",
    '',
  ),
  mutant(
    'a drain that is skipped is killed',
    'instance/step.ts',
    '    skip: wait,\n',
    '    skip: () => killAll(instance, context),\n',
  ),
  mutant(
    'a drain that is skipped pauses',
    'rollout/turn.ts',
    "phase.overdue && phase.onTimeout === 'skip'",
    "phase.overdue && phase.onTimeout === 'stop'",
  ),
  mutant(
    'one that is replaced goes on',
    'fleet/begin-rollout.ts',
    '  if (old !== undefined) replaceOld(changes, old, id, new Set(ids));\n',
    '',
  ),
  mutant(
    'who comes in the middle has no turn',
    'fleet/resize.ts',
    '  giveTurns(changes, program, added);\n',
    '',
  ),
  mutant(
    'who comes in the middle has what is new',
    'fleet/resize.ts',
    'newInstance(id, index, old?.program ?? plan, wish)',
    'newInstance(id, index, plan, wish)',
  ),
];
