/** The names that a user can mean: of the config's programs and groups, of the daemon's instances and rollouts. */
import { contextOf } from '../context.ts';
import type { GlobalOptions } from '../global-options.ts';
import type { Io } from '../io.ts';
import { configFile } from '../place.ts';
import { rolloutSentence } from '../render/rollout.ts';
import { plural } from '../render/words.ts';
import type { Candidate, Names } from './candidates.ts';

/** Nobody is told of what cannot be asked: there are just fewer names. */
export function namesFrom(options: GlobalOptions, io: Io): Names {
  const client = () => contextOf(io, options).client();
  const configured = async (): Promise<Candidate[]> => {
    const { planIn } = await import('../plan.ts');
    const { programs, groups } = planIn(configFile(options, io), io);
    return [
      ...programs.map(({ name, instances }) => ({ text: name, about: plural(instances, 'instance') })),
      ...Object.entries(groups).map(([name, members]) => ({ text: `@${name}`, about: members.join(', ') })),
    ];
  };
  const running = async (): Promise<Candidate[]> => {
    const { instances } = await (await client()).status({ usage: false });
    const programs = [...new Set(instances.map(({ program }) => program))];
    return [
      ...programs.map((text) => ({ text, about: '' })),
      ...instances.map(({ id, state }) => ({ text: id, about: state })),
    ];
  };
  const selectors = async () => once([...(await orNone(configured)), ...(await orNone(running))]);
  return {
    selectors,
    programs: async () => (await selectors()).filter(({ text }) => !/[@:]/.test(text)),
    rollouts: () =>
      orNone(async () => {
        const { rollouts } = await (await client()).rollouts();
        return once([
          ...rollouts.map(({ program }) => ({ text: program, about: '' })),
          ...rollouts.map((each) => ({ text: String(each.id), about: rolloutSentence(each) })),
        ]);
      }),
  };
}

const once = (found: readonly Candidate[]): Candidate[] =>
  found.filter(({ text }, at) => found.findIndex((each) => each.text === text) === at);

async function orNone(ask: () => Promise<Candidate[]>): Promise<Candidate[]> {
  try {
    return await ask();
  } catch {
    return [];
  }
}
