/** Waits for something that is asked for again and again, with a deadline. */

/**
 * The first answer that is not undefined or false.
 * @throws Error that says what was waited for and what was seen last, after `timeoutMs`.
 */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  options: { readonly timeoutMs?: number; readonly everyMs?: number; readonly seen?: () => string } = {},
): Promise<T> {
  const { timeoutMs = 15_000, everyMs = 25 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms for: ${what}\n${options.seen?.() ?? ''}`);
    }
    await new Promise((done) => setTimeout(done, everyMs));
  }
}
