/** What a runner needs of the process that it is in. Tests give it another. */
export interface Host {
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  readonly stdout: Sink;
  readonly stderr: Sink;
  on(event: NodeJS.Signals | 'beforeExit', listener: (signal: NodeJS.Signals) => void): unknown;
  off(event: NodeJS.Signals | 'beforeExit', listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

export interface Sink {
  /** Calls back when this and all before it has been handed to the system, or cannot be. */
  write(text: string, done: () => void): unknown;
}

/** Resolves when everything that was written is out. What nobody reads holds it up, as it should. */
export async function flushed({ stdout, stderr }: Pick<Host, 'stdout' | 'stderr'>): Promise<void> {
  await Promise.all([stdout, stderr].map(drained));
}

function drained(sink: Sink): Promise<void> {
  return new Promise((resolve) => {
    try {
      sink.write('', resolve);
    } catch {
      resolve(); // it is closed: nothing of it will ever be out
    }
  });
}
