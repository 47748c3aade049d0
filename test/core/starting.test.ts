/** From a process to a working one, and ends that are wished for before there is a process to ask. */
import { describe, expect, test } from 'vitest';
import { revision } from '../../src/base/ids.ts';
import { Bench, program, summary } from './rig.ts';

const told = (bench: Bench, effects: ReturnType<Bench['take']>): string => summary(bench.phase.kind, effects);

function spawning(): Bench {
  const bench = new Bench();
  bench.start();
  return bench;
}

describe('ready', () => {
  test('when spawned: being alive for long enough is enough, and its word makes it no sooner', () => {
    const bench = spawning();
    bench.spawned();
    expect(told(bench, bench.says({ ready: true }))).toBe('starting');
    expect(told(bench, bench.after(49))).toBe('starting');
    expect(told(bench, bench.after(1))).toBe('running');
  });

  test('when notified: its word, and nothing else', () => {
    const bench = new Bench(program({ ready: { when: 'notify', timeoutMs: null } }));
    bench.start();
    bench.spawned();
    expect(told(bench, bench.after(1_000_000))).toBe('starting');
    expect(told(bench, bench.says({ status: 'loading' }))).toBe('starting');
    expect(told(bench, bench.says({ ready: true }))).toBe('running');
    expect(bench.phase).toMatchObject({ body: { readyAt: { mono: 1_000_000 } } });
  });

  test('not in time: it is told to stop, killed if it does not, and that counts as a failure', () => {
    const bench = new Bench(program({ ready: { when: 'notify', timeoutMs: 100 } }));
    bench.start();
    bench.spawned();
    expect(told(bench, bench.after(100))).toBe('stopping: TERM→leader');
    expect(told(bench, bench.after(200))).toBe('killing: KILL→tree survey');
    bench.signalled('SIGKILL');
    bench.tree(0);
    expect(bench.phase).toMatchObject({ kind: 'backoff', because: 'not ready' });
    expect(bench.phase).toHaveProperty('why', 'was not ready in time (after 300ms)');
  });

  test('with a restart policy of never, not being ready in time is tried again all the same', () => {
    const bench = new Bench(program({ restart: 'never', ready: { when: 'notify', timeoutMs: 100 } }));
    bench.start();
    bench.spawned();
    bench.after(100);
    bench.code(0);
    bench.tree(0);
    expect(bench.phase.kind).toBe('backoff');
  });
});

describe('an end wished for while spawning', () => {
  test.each([
    ['drain', 'draining: USR1→leader'],
    ['now', 'stopping: TERM→leader'],
    ['kill', 'killing: KILL→tree survey'],
  ] as const)('stop (%s): as soon as there is a process it is %s', (how, expected) => {
    const bench = spawning();
    expect(told(bench, bench.stop(how))).toBe('spawning');
    expect(told(bench, bench.spawned())).toBe(expected);
  });

  test('never becomes softer, and keeps its first reason', () => {
    const bench = spawning();
    bench.replace(program(), 'rollout 7', 'pause');
    bench.stop('kill');
    bench.stop('drain');
    expect(bench.phase).toMatchObject({ end: { how: 'kill', because: 'rollout 7', onTimeout: 'stop' } });
  });

  test('is taken back by a start', () => {
    const bench = spawning();
    bench.stop();
    bench.start();
    expect(told(bench, bench.spawned())).toBe('starting');
  });

  test('is not taken back where it was a replacement', () => {
    const bench = spawning();
    bench.replace(program(), 'operator', 'stop');
    bench.start();
    expect(told(bench, bench.spawned())).toBe('draining: USR1→leader');
  });

  test('a stop taken back after the plan has changed ends the outdated run all the same', () => {
    const bench = spawning();
    bench.stop();
    bench.replace(program({ revision: revision('two') }), 'operator', 'stop');
    bench.start();
    expect(told(bench, bench.spawned())).toBe('draining: USR1→leader');
    bench.code(0);
    bench.tree(0);
    expect(bench.phase).toMatchObject({ kind: 'spawning', life: { program: { revision: 'two' } } });
  });

  test('a spawn error makes it stopped', () => {
    const bench = spawning();
    bench.stop();
    expect(told(bench, bench.spawnFailed())).toBe('stopped: forget');
  });

  test('a spawn error of what was to be replaced leads to what replaces it, with a clean record', () => {
    const bench = new Bench(program({ backoff: { giveUpAfter: 1 } }));
    bench.start();
    bench.replace(program({ revision: revision('two') }), 'operator', 'stop');
    expect(told(bench, bench.spawnFailed())).toBe('spawning: forget spawn');
    expect(bench.phase).toMatchObject({ life: { run: 2, program: { revision: 'two' } } });
    expect(bench.instance.failures).toBe(0);
  });
});

describe('replace', () => {
  test('where it is wished down, only the plan changes', () => {
    const bench = new Bench();
    const next = program({ revision: revision('two') });
    expect(told(bench, bench.replace(next, 'rollout 7', 'pause'))).toBe('stopped');
    expect(bench.instance).toMatchObject({ program: next, generation: 1 });
  });

  test('where it ends already, nobody is asked twice', () => {
    const bench = new Bench().running();
    bench.stop('now');
    bench.start();
    expect(told(bench, bench.replace(program(), 'rollout 7', 'pause'))).toBe('stopping');
  });
});

describe('an end that is insisted on', () => {
  test('goes from a drain to a stop to a kill, and never back', () => {
    const bench = new Bench().running();
    expect(told(bench, bench.stop('drain'))).toBe('draining: USR1→leader');
    expect(told(bench, bench.stop('drain'))).toBe('draining');
    expect(told(bench, bench.stop('now'))).toBe('stopping: TERM→leader');
    expect(told(bench, bench.stop('now'))).toBe('stopping');
    expect(told(bench, bench.stop('drain'))).toBe('stopping');
    expect(told(bench, bench.stop('kill'))).toBe('killing: KILL→tree survey');
    expect(told(bench, bench.stop('now'))).toBe('killing');
  });
});
