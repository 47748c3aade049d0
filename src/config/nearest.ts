/** The word that was probably meant: the closest of the words that are known at a place. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = bare(word);
  const same = known.find((candidate) => bare(candidate) === plain);
  if (same !== undefined || word.length > LONGEST) return same;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = distanceBetween(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Beyond this no key is meant, and the table below would grow for nothing. */
const LONGEST = 40;

/** `maxParallel`, `max-parallel` and `max_parallel` are one word to people. */
export const bare = (word: string): string => word.toLowerCase().replace(/[-_ ]/g, '');

/** How many letters to add, drop, change or swap with their neighbour (Damerau-Levenshtein). */
export function distanceBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + change,
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length] ?? 0;
}
