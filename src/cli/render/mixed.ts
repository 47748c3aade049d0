/** Programs whose instances run different revisions although no rollout is at work on them: one was ended half-way. */
import type { InstanceStatus, RolloutStatus } from '../../protocol/status.ts';
import { plural } from './words.ts';

/** `worker runs 2 revisions: ff068191 (2 instances), 39c6e586 (worker:1)`. */
export function mixedLines(
  instances: readonly InstanceStatus[],
  rollouts: readonly RolloutStatus[],
): string[] {
  const moving = new Set(rollouts.filter(isOpen).map(({ program }) => program));
  const running = instances.filter(({ pid, program }) => pid !== null && !moving.has(program));
  return [...new Set(running.map(({ program }) => program))].flatMap((name) => {
    const own = running.filter(({ program }) => program === name);
    const revisions = [...new Set(own.map(({ revision }) => revision))];
    if (revisions.length < 2) return [];
    const parts = revisions.map((revision) => {
      const ids = own.filter((each) => each.revision === revision).map(({ id }) => id);
      return `${revision} (${ids.length === 1 ? ids[0] : plural(ids.length, 'instance')})`;
    });
    return [`${name} runs ${revisions.length} revisions: ${parts.join(', ')}`];
  });
}

const isOpen = ({ state }: RolloutStatus): boolean => state === 'running' || state === 'paused';
