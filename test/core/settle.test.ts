/** What comes once nothing of a run is left: the wish and the policy decide together. */
import { describe, expect, test } from 'vitest';
import { Bench, newsIn, program } from './rig.ts';

type Restart = 'always' | 'on_failure' | 'never';
const ENDS: Record<string, (bench: Bench) => void> = {
  clean: (bench) => bench.code(0),
  'of the code 3': (bench) => bench.code(3),
  'clean by its own list': (bench) => bench.code(42),
  'by a signal': (bench) => bench.signalled('SIGSEGV'),
  'by our own signal, which nobody sent': (bench) => bench.signalled('SIGUSR1'),
};
/** Wished up: what follows each of the ends above. */
const FOLLOWS: Record<Restart, readonly string[]> = {
  always: ['backoff', 'backoff', 'backoff', 'backoff', 'backoff'],
  on_failure: ['exited', 'backoff', 'exited', 'backoff', 'backoff'],
  never: ['exited', 'failed', 'exited', 'failed', 'failed'],
};

describe.each(['always', 'on_failure', 'never'] as const)('restart: %s', (restart) => {
  const plan = program({ restart, successExitCodes: [0, 42] });

  test.each(Object.keys(ENDS).map((end, i) => [end, FOLLOWS[restart][i]]))(
    'an end %s, unasked, leads to %s',
    (end, kind) => {
      const bench = new Bench(plan).running();
      ENDS[end ?? '']?.(bench);
      bench.tree(0);
      expect(bench.phase.kind).toBe(kind);
    },
  );

  test.each(Object.keys(ENDS))('an end %s while it is wished down leads to stopped', (end) => {
    const bench = new Bench(plan).running();
    bench.stop();
    ENDS[end]?.(bench);
    bench.tree(0);
    expect(bench.phase.kind).toBe('stopped');
  });

  test.each(Object.keys(ENDS))('an end %s that was a replacement leads to the next run', (end) => {
    const bench = new Bench(plan).running();
    bench.replace(plan, 'rollout 7', 'pause');
    ENDS[end]?.(bench);
    bench.tree(0);
    expect(bench.phase.kind).toBe('spawning');
  });
});

test('a stop that comes after the crash decides what follows it', () => {
  const bench = new Bench().running();
  bench.code(1);
  bench.stop();
  bench.tree(0);
  expect(bench.phase.kind).toBe('stopped');
  expect(bench.instance.failures).toBe(0);
});

test('a start that comes during an end brings up the next run when nothing of the last is left', () => {
  const bench = new Bench(program({ restart: 'never' })).running();
  bench.stop();
  bench.start();
  expect(bench.phase.kind).toBe('draining');
  bench.code(0);
  expect(bench.phase.kind).toBe('draining');
  bench.tree(0);
  expect(bench.phase.kind).toBe('spawning');
});

test('a start during the sweep after a crash does not wait for a backoff', () => {
  const bench = new Bench().running();
  bench.code(1);
  bench.start();
  bench.tree(0);
  expect(bench.phase.kind).toBe('spawning');
});

test('the next run has the plan that it was replaced with; the old one is ended by its own', () => {
  const old = program({ stop: { timeoutMs: 111 }, drain: { signal: 'QUIT', timeoutMs: 40 } });
  const bench = new Bench(old).running();
  const next = program({ stop: { timeoutMs: 999 }, drain: { signal: 'INT', timeoutMs: 9999 } });
  expect(bench.replace(next, 'operator', 'stop')).toMatchObject([{ type: 'signal', signal: 'QUIT' }, {}]);
  expect(bench.phase).toMatchObject({ deadline: bench.now + 40 });
  bench.after(40);
  expect(bench.phase).toMatchObject({ kind: 'stopping', killAt: bench.now + 111 });
  bench.code(0);
  const effects = bench.tree(0);
  expect(effects.at(-1)).toMatchObject({ type: 'spawn', life: { program: next, generation: 1 } });
});

test('what is left is forgotten before the next run begins, and each run has a number of its own', () => {
  const bench = new Bench(program({ backoff: null })).running();
  const first = bench.run;
  bench.code(1);
  const effects = bench.tree(0);
  expect(effects.map(({ type }) => type)).toEqual(['forget', 'announce', 'spawn']);
  expect(bench.run).not.toBe(first);
  expect(bench.instance.restarts).toBe(1);
});

test('the record of an exit says why, how, and how long it had lived', () => {
  const bench = new Bench().running();
  bench.now = 1000;
  bench.replace(program(), 'rollout 7', 'pause');
  bench.signalled('SIGUSR1');
  bench.now = 1200;
  expect(newsIn(bench.tree(0))).toEqual(['gone']);
  expect(bench.instance.lastExit).toEqual({
    run: 1,
    exit: { kind: 'signal', signal: 'SIGUSR1' },
    at: 1_001_200,
    because: 'rollout 7',
    drained: true,
    killed: false,
    livedMs: 1200,
  });
});

test('the first reason of an end stays, whoever asks next', () => {
  const bench = new Bench().running();
  bench.replace(program(), 'rollout 7', 'pause');
  bench.stop();
  bench.code(0);
  bench.tree(0);
  expect(bench.instance.lastExit?.because).toBe('rollout 7');
});
