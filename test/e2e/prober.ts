/** Asks a daemon over and over, and measures for how long nobody answered while it was replaced. */
import { connect } from '../../src/client/index.ts';

export interface Prober {
  /** Answers so far. */
  readonly answers: number;
  /** What went wrong with a question: nothing should. */
  readonly failures: readonly string[];
  /** Of each handover, in order: milliseconds from the last answer of the old one to the first of the next. */
  gaps(): number[];
  end(): Promise<void>;
}

const EVERY_MS = 10;

/** `many` ask independently of each other. */
export function probe(socket: string, many: number): Prober {
  const client = connect(socket);
  /** By how often it had been handed over: when the first and the last answer came. */
  const spans = new Map<number, { first: number; last: number }>();
  const failures: string[] = [];
  let answers = 0;
  let isOver = false;
  const ask = async (): Promise<void> => {
    while (!isOver) {
      try {
        const { daemon } = await client.status({ usage: false });
        const now = performance.now();
        const span = spans.get(daemon.handovers ?? 0) ?? { first: now, last: now };
        spans.set(daemon.handovers ?? 0, { first: span.first, last: now });
        answers++;
      } catch (error) {
        failures.push(String(error));
      }
      await new Promise((done) => setTimeout(done, EVERY_MS));
    }
  };
  const asking = Promise.all(Array.from({ length: many }, ask));
  return {
    get answers() {
      return answers;
    },
    failures,
    gaps() {
      const inOrder = [...spans].sort(([a], [b]) => a - b).map(([, span]) => span);
      return inOrder.slice(1).map(({ first }, at) => Math.round(first - (inOrder[at]?.last ?? first)));
    },
    async end() {
      isOver = true;
      await asking;
    },
  };
}
