/** Limits as commands of a shell, for where the daemon cannot set them itself. Soft and hard alike. */
import type { SpawnRequest } from '../ports/processes.ts';

type Resources = SpawnRequest['limits']['resources'];

export interface Ulimit {
  readonly name: string;
  readonly value: number | null;
  readonly command: string;
}

/** The letters of POSIX shells, and the bytes in one of their units. */
const OPTIONS: {
  readonly [N in keyof Required<Resources>]: { readonly letter: string; readonly unit: number };
} = {
  cpu: { letter: 't', unit: 1 },
  fsize: { letter: 'f', unit: 512 },
  data: { letter: 'd', unit: 1024 },
  stack: { letter: 's', unit: 1024 },
  core: { letter: 'c', unit: 512 },
  rss: { letter: 'm', unit: 1024 },
  nproc: { letter: 'u', unit: 1 },
  nofile: { letter: 'n', unit: 1 },
  memlock: { letter: 'l', unit: 1024 },
  as: { letter: 'v', unit: 1024 },
};

export function ulimits(resources: Resources): Ulimit[] {
  return Object.entries(OPTIONS).flatMap(([name, { letter, unit }]) => {
    const value = resources[name as keyof Resources]; // the keys of OPTIONS are its type
    if (value === undefined) return [];
    const amount = value === null ? 'unlimited' : Math.floor(value / unit);
    // Shells do not agree on the letter of this one.
    const command =
      name === 'nproc'
        ? `{ ulimit -u ${amount} 2>/dev/null || ulimit -p ${amount}; }`
        : `ulimit -${letter} ${amount}`;
    return [{ name, value, command }];
  });
}
