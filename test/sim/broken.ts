/** A rule that was broken; the world adds its seed and what led there. */
export function broken(rule: string): never {
  throw new Broken(rule);
}

export class Broken extends Error {}
