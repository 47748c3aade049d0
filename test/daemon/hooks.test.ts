import { describe, expect, it } from 'vitest';
import { run } from '../../src/base/ids.ts';
import { fail, ok } from '../../src/base/result.ts';
import { Hooks } from '../../src/daemon/hooks.ts';
import type { CommandRequest, CommandResult } from '../../src/ports/processes.ts';
import { worker } from '../core/rig.ts';

const REQUEST: CommandRequest = {
  id: worker(0),
  command: ['hook'],
  directory: '/',
  environment: {},
  credentials: null,
  umask: null,
  timeoutMs: 1000,
};
const DONE: CommandResult = { ok: true, detail: '' };
const CANCELLED: CommandResult = { ok: false, detail: 'was cancelled' };

/** Commands that end when the test says so; one that is cancelled answers a little later, as in life. */
function scene() {
  const begun: { end(result: CommandResult): void; cancelled: boolean }[] = [];
  const told: string[] = [];
  const hooks = new Hooks(
    (_, done) => {
      const command = { end: done, cancelled: false };
      begun.push(command);
      return () => {
        command.cancelled = true;
      };
    },
    (of, hook, result) => told.push(`${of} ${hook} ${result.ok} ${result.detail}`.trim()),
  );
  return { hooks, begun, told };
}

const good = () => ok(REQUEST);

describe('a hook', () => {
  it('is answered once, however often its end is reported', () => {
    const { hooks, begun, told } = scene();
    hooks.begin(run(1), 'pre_start', good);
    expect(hooks.size).toBe(1);
    begun[0]?.end(DONE);
    begun[0]?.end(CANCELLED);
    expect(told).toEqual(['1 pre_start true']);
    expect(hooks.size).toBe(0);
  });

  it('that is cancelled is answered when it has ended', () => {
    const { hooks, begun, told } = scene();
    hooks.begin(run(1), 'post_start', good);
    hooks.cancel(run(1));
    expect([begun[0]?.cancelled, told]).toEqual([true, []]);
    begun[0]?.end(CANCELLED);
    expect(told).toEqual(['1 post_start false was cancelled']);
  });

  it.each([
    ['whose user does not exist', () => fail({ stage: 'user', message: 'user "www" does not exist' })],
    [
      'whose preparation throws',
      () => {
        throw new Error('user "www" does not exist');
      },
    ],
  ])('%s has failed, and is answered', (_, request) => {
    const { hooks, begun, told } = scene();
    hooks.begin(run(1), 'pre_start', request);
    expect(begun).toEqual([]);
    expect(told).toEqual(['1 pre_start false cannot start: user "www" does not exist']);
  });

  it('that cannot be begun at all has failed, and is answered', () => {
    const told: string[] = [];
    const execute = () => {
      throw new Error('no more processes');
    };
    const hooks = new Hooks(execute, (of, hook, { ok: good, detail }) =>
      told.push(`${of} ${hook} ${good} ${detail}`),
    );
    hooks.begin(run(1), 'pre_drain', good);
    expect(told).toEqual(['1 pre_drain false cannot start: no more processes']);
    expect(hooks.size).toBe(0);
  });

  it('of another run is not touched by a cancel', () => {
    const { hooks, begun } = scene();
    hooks.begin(run(1), 'pre_start', good);
    hooks.begin(run(2), 'pre_start', good);
    hooks.cancel(run(2));
    hooks.cancel(run(3));
    expect(begun.map(({ cancelled }) => cancelled)).toEqual([false, true]);
  });

  it('that follows one that is still being cancelled can be cancelled as well', () => {
    const { hooks, begun, told } = scene();
    hooks.begin(run(1), 'pre_drain', good);
    hooks.cancel(run(1));
    hooks.begin(run(1), 'post_stop', good);
    begun[0]?.end(CANCELLED);
    hooks.cancel(run(1));
    expect(begun[1]?.cancelled).toBe(true);
    begun[1]?.end(CANCELLED);
    expect(told).toHaveLength(2);
    expect(hooks.size).toBe(0);
  });

  it('is cancelled when the daemon goes, and answered to nobody', () => {
    const { hooks, begun, told } = scene();
    hooks.begin(run(1), 'pre_start', good);
    hooks.close();
    expect(begun[0]?.cancelled).toBe(true);
    begun[0]?.end(CANCELLED);
    expect(told).toEqual([]);
  });
});
