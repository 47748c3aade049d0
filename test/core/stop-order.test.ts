/** Several are stopped: who is needed ends after those who need it, the others at once; and how a wait is cut short. */
import { describe, expect, test } from 'vitest';
import { programName } from '../../src/base/ids.ts';
import type { ProgramPlan } from '../../src/core/plan.ts';
import { type Change, Fleets, program } from './rig.ts';

const named = (name: string, on: readonly string[] = [], change: Change = {}): ProgramPlan =>
  program({
    name: programName(name),
    dependsOn: Object.fromEntries(on.map((other) => [other, 'started'])),
    ...change,
  });
/** db ← api (two) ← web, and db ← mail. */
const tree = (): Fleets =>
  new Fleets([
    named('db'),
    named('api', ['db'], { instances: 2 }),
    named('web', ['api']),
    named('mail', ['db']),
  ]).allReady();
const DRAINS = 'USR1→';

describe('in reverse', () => {
  test('each level when the one above is at rest, everything on the same level in parallel', () => {
    const fleets = tree().stopAll();
    expect(fleets.signals()).toBe(`${DRAINS}mail:0 ${DRAINS}web:0`);
    expect(fleets.kinds()).toBe('running running running draining draining');
    expect(fleets.gone('mail').signals()).toBe('');
    expect(fleets.gone('web').signals()).toBe(`${DRAINS}api:1 ${DRAINS}api:0`);
    expect(fleets.gone('api:0').signals()).toBe('');
    expect(fleets.gone('api:1').signals()).toBe(`${DRAINS}db:0`);
    fleets.gone('db');
    expect(fleets.kinds()).toBe('stopped stopped stopped stopped stopped');
    expect(fleets.fleet.stopOrder.isEmpty).toBe(true);
  });

  test('what is held is wished down at once, so that no crash brings it back', () => {
    const fleets = tree().stopAll();
    expect([...fleets.fleet.instances.values()].every(({ wish }) => wish.want === 'down')).toBe(true);
    fleets.gone('db', 1);
    expect(fleets.kindOf('db')).toBe('stopped');
  });

  test('at rest means that nothing of it is left, its post_stop hook included', () => {
    const post = { post_stop: { command: ['x'], timeoutMs: 1, onFailure: 'ignore' } } as const;
    const fleets = new Fleets([named('db'), named('web', ['db'], { hooks: post })]).allReady().stopAll();
    expect(fleets.exited('web').signals()).toBe('');
    expect(fleets.tree('web').signals()).toBe('');
    expect(fleets.hooked('web', 'post_stop').signals()).toBe(`${DRAINS}db:0`);
  });

  test('who waits, is in backoff or was given up holds up nobody', () => {
    const fleets = new Fleets([named('db'), named('web', ['db']), named('cron', ['db', 'web'])]);
    fleets.start().ready('db');
    fleets.take({ type: 'spawn_failed', run: fleets.runOf('web'), stage: 'exec', error: 'ENOENT' });
    expect(fleets.kinds()).toBe('running backoff waiting');
    expect(fleets.stopAll().kinds()).toBe('draining stopped stopped');
  });

  test('one alone is stopped at once, though others need it: they are not stopped', () => {
    expect(tree().stop('db').kinds()).toBe('draining running running running running');
  });

  test('one that is stopped while those who need it drain already waits for them', () => {
    const fleets = tree().stop('web').stop('api:0').stop('api:1');
    expect(fleets.kinds()).toBe('running running running draining running');
    expect(fleets.gone('web').signals()).toBe(`${DRAINS}api:0 ${DRAINS}api:1`);
  });

  test('a shutdown and a reload that drops programs do likewise', () => {
    const down = tree().take({ type: 'shutdown', how: 'drain', timeoutMs: null });
    expect(down.kinds()).toBe('running running running draining draining');
    const dropped = tree().reload(named('mail'));
    expect(dropped.kinds()).toBe('running running running draining running');
    dropped.gone('web').gone('api:0').gone('api:1').gone('db');
    expect(dropped.ids()).toEqual(['mail:0']);
  });
});

describe('a wait is cut short', () => {
  test('kill ends all at once', () => {
    expect(tree().stopAll('kill').kinds()).toBe('killing killing killing killing killing');
    expect(tree().stopAll().stopAll('kill').kinds()).toBe('killing killing killing killing killing');
  });

  test('now keeps the order, and skips each drain', () => {
    const fleets = tree().stopAll().stopAll('now');
    expect(fleets.kinds()).toBe('running running running stopping stopping');
    expect(fleets.gone('web').signals()).toBe('TERM→api:1 TERM→api:0');
  });

  test('a held one that is stopped by itself with --now waits no longer', () => {
    const fleets = tree().stopAll().stop('db', 'now');
    expect(fleets.kindOf('db')).toBe('stopping');
    fleets.gone('db').gone('web').gone('mail');
    expect(fleets.kinds()).toBe('stopped draining draining stopped stopped');
  });

  test('a held one that is started again is not stopped later', () => {
    const fleets = tree().stopAll();
    fleets.take({ type: 'start', ids: fleets.ids().slice(0, 1), because: 'operator' });
    fleets.gone('mail').gone('web').gone('api:0').gone('api:1');
    expect(fleets.kinds()).toBe('running stopped stopped stopped stopped');
  });

  test('a held one that is restarted is restarted, and not only wanted again', () => {
    const fleets = tree().stopAll().restart('db');
    expect(fleets.kindOf('db')).toBe('draining');
    fleets.gone('db');
    expect(fleets.kindOf('db')).toBe('spawning');
  });

  test('a held one that crashes is at rest, and those who waited for it go on', () => {
    const fleets = tree().stopAll().gone('api:0', 1).gone('api:1', 1).gone('mail');
    expect(fleets.kindOf('db')).toBe('draining');
  });

  test('who is waited for and is started again is waited for no longer', () => {
    const fleets = tree().stopAll().gone('mail').gone('web').gone('api:0');
    fleets.take({ type: 'start', ids: fleets.ids().filter((id) => id === 'api:1'), because: 'operator' });
    expect(fleets.kindOf('db')).toBe('draining');
  });
});

test('one that is held before it has a process is not signalled when it gets one', () => {
  const fleets = new Fleets([
    named('db', [], { ready: { when: 'notify', timeoutMs: null } }),
    named('web', ['db']),
  ]);
  fleets.start().spawned('db').spawned('web').restart('db').gone('db').stopAll();
  expect(fleets.kinds()).toBe('spawning draining');
  expect(fleets.spawned('db').signals()).toBe('');
  expect(fleets.gone('web').signals()).toBe(`${DRAINS}db:0`);
});

test('one that is held before it has a process, and restarted, begins anew with the new plan', () => {
  const fleets = new Fleets([
    named('db', [], { ready: { when: 'notify', timeoutMs: null } }),
    named('web', ['db']),
  ]);
  fleets.start().spawned('db').spawned('web').restart('db').gone('db').stopAll();
  fleets.restart('db', named('db', [], { command: ['two'] }));
  expect(fleets.spawned('db').signals()).toBe(`${DRAINS}db:0`);
  expect(fleets.gone('db').seat('db').phase).toMatchObject({ life: { program: { command: ['two'] } } });
});

test('no order can be a circle: what two plans need of each other at different times is let go in the end', () => {
  const fleets = new Fleets([named('a', ['b']), named('b')]).allReady().reload(named('b'));
  fleets.reload(named('b', ['a']), named('a'));
  fleets.take({ type: 'shutdown', how: 'drain', timeoutMs: null });
  for (let i = 0; i < 3; i++) {
    for (const { id, phase } of fleets.fleet.instances.values())
      if (phase.kind === 'draining') fleets.gone(id);
  }
  expect(fleets.fleet.mode.kind).toBe('down');
});

describe('priority', () => {
  const plans = [
    named('late', [], { priority: 9 }),
    named('early', [], { priority: -1, instances: 2 }),
    named('none'),
  ];

  test('orders the spawns of one request, the lowest first', () => {
    expect(new Fleets(plans).start().deeds()).toBe(
      'spawn of early:0, spawn of early:1, spawn of none:0, spawn of late:0',
    );
  });

  test('and the signals of one in reverse, the highest number of a program first', () => {
    expect(new Fleets(plans).allReady().stopAll().signals()).toBe(
      `${DRAINS}late:0 ${DRAINS}none:0 ${DRAINS}early:1 ${DRAINS}early:0`,
    );
  });

  test('does not overrule what one needs of the other', () => {
    const fleets = new Fleets([
      named('db', [], { priority: 9 }),
      named('web', ['db'], { priority: -9 }),
    ]).start();
    expect(fleets.kinds()).toBe('spawning waiting');
  });

  test('orders those who have waited for the same thing', () => {
    const fleets = new Fleets([
      named('other'),
      named('db'),
      named('second', ['db'], { priority: 2 }),
      named('first', ['other', 'db'], { priority: 1 }),
    ]);
    fleets.start().spawned('other').spawned('db');
    expect(fleets.deeds()).toBe('spawn of first:0, spawn of second:0');
  });
});
