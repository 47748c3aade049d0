// Deliberate faults in what a new daemon makes of what the last one has left.
import { mutant } from './mutant.mjs';

const RESUME = 'fleet/resume.ts';
const RECORD = '../daemon/record.ts';
const MEMORY = '../daemon/memory.ts';

export const MUTANTS = [
  mutant(
    'a rollout dies with its daemon',
    RESUME,
    '    fleet.rollouts.set(rollout.id, { ...rollout, turns });\n',
    '',
  ),
  mutant(
    'whose turn has not come has what is new',
    RESUME,
    '...(isTouched ? { program: target, generation } : turn.before)',
    '...(isTouched || seat ? { program: target, generation } : turn.before)',
  ),
  mutant('what a rollout wants is forgotten', RESUME, 'return [...start, ...open', 'return [...open'),
  mutant(
    'a rollout is not looked at',
    RESUME,
    "...open.map(({ id }) => ({ type: 'due', timer: { of: 'rollout', id } }) as const)",
    '...[]',
  ),
  mutant(
    'a run that was never begun is waited for',
    RESUME,
    'if (run !== step.newRun) return',
    'if (run === -1) return',
  ),
  mutant(
    'a check that was asked is never answered',
    RESUME,
    "return step.kind === 'checking'\n",
    "return step.kind === 'done'\n",
  ),
  mutant(
    'extra ones are taken for left over',
    'fleet/fleet.ts',
    'extras.has(instance.id) ?',
    'extras.has(instance.id) && !instance.leaving ?',
  ),
  mutant(
    'the deadlines of a rollout start anew',
    '../daemon/rollout-record.ts',
    'return [key, deadlineOf(wall(date), now)];',
    'return [key, now.mono + 1000];',
  ),
  mutant(
    'deadlines are those of another stopwatch',
    RECORD,
    'deadline: deadline === null ? null : dateOf(deadline, now),',
    'deadline,',
  ),
  mutant(
    'whoever may have been asked is asked again at once',
    RECORD,
    "const isOwed = asked === 'perhaps' && doubt === 'owed';",
    "const isOwed = asked === 'perhaps';",
  ),
  mutant(
    'whoever may have been asked is taken for asked',
    'instance/step.ts',
    "  if (phase.asked === 'perhaps') return ask(instance, phase, context);\n",
    '',
  ),
  mutant(
    'the last who was asked is taken for asked',
    '../daemon/ask-list.ts',
    "n < last ? 'sent'",
    "n <= last ? 'sent'",
  ),
  mutant(
    'the last who was asked is taken for unasked',
    '../daemon/ask-list.ts',
    "n === last ? 'perhaps'",
    "n === -2 ? 'perhaps'",
  ),
  mutant(
    'who may have been asked is not asked whether it was',
    'fleet/adopt.ts',
    'if (isInDoubt(phase))',
    'if (phase.kind === "killing" && phase.ending.exit === null)',
  ),
  mutant(
    'who says that it was not asked is not asked',
    'instance/hear.ts',
    "if (phase.kind === 'draining' && phase.asked === 'perhaps' && message.asked === false)",
    "if (phase.kind === 'draining' && phase.asked === 'perhaps' && message.asked === null)",
  ),
  mutant(
    'who says that it was asked is still not believed',
    'instance/hear.ts',
    'if (!stopping && !drained && !asked) return instance;',
    'if (!stopping && !drained) return instance;',
  ),
  mutant(
    'what is about to be begun is not written down',
    MEMORY,
    "const begun = phase.kind === 'spawning' ? this.#begun(instance, phase) : null;",
    'const begun = null;',
  ),
  mutant(
    'what somebody has stopped is not written down',
    MEMORY,
    "else if (wish.because === 'operator') this",
    "else if (wish.because === 'shutdown') this",
  ),
  mutant(
    'what is wanted is not written down',
    MEMORY,
    "wish.want === 'up' || null);",
    'wish.want === null || null);',
  ),
  mutant(
    'a turn is not written down when it moves',
    '../daemon/rollout-keeper.ts',
    'if (turn !== before[place]) this',
    'if (before.length === 0) this',
  ),
  mutant(
    'what goes down is not told so',
    '../daemon/adopt.ts',
    "wish.want === 'up' || isLed ||",
    "wish.want === 'down' || isLed ||",
  ),
  mutant(
    'runs are not taken up',
    'fleet/adopt.ts',
    "{ type: 'adopt', run, instance, pid: phase.body.pid }",
    "{ type: 'forget', run, instance }",
  ),
  mutant(
    'nobody looks at what ends',
    'fleet/adopt.ts',
    "if ('ending' in phase) effects.push({ type: 'survey'",
    "if (phase.kind === 'running') effects.push({ type: 'survey'",
  ),
  mutant(
    'who was to be asked at once, and drains, has no time',
    'instance/hear.ts',
    'phase.deadline <= now.mono;',
    'phase.deadline < 0;',
  ),
  mutant(
    'the time that is left is forgotten',
    'fleet/adopt.ts',
    '  if (at === null) return [];\n  const timer',
    '  if (at !== 0) return [];\n  const timer',
  ),
];
