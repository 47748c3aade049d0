/** `rollout …` and the options of `rolling-restart` and `reload`: what is asked of the daemon, and what is refused here. */
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import { checkBody } from '../../src/protocol/requests.ts';
import type { RolloutStatus } from '../../src/protocol/status.ts';
import { type Answer, type FakeDaemon, fakeDaemon, refusal, stream } from './fake-daemon.ts';
import { created, reloaded, rollout, status } from './samples.ts';
import { command } from './terminal.ts';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

async function ask(script: Readonly<Record<string, Answer>>, ...argv: readonly string[]) {
  daemon = await fakeDaemon(script);
  const result = await command(['--socket', daemon.socket, ...argv]);
  return { ...result, err: result.err.replaceAll(`--socket ${daemon.socket} `, ''), asked: daemon.asked };
}

const held = rollout({ canary: { count: 1, state: 'held', until: null, hold_ms: null } });
const waiting = rollout({ id: 8, program: 'mailer' });
const over = rollout({ id: 6, state: 'succeeded', ended_at: '2026-01-31T14:01:12.000Z' });
const known = (...rollouts: readonly RolloutStatus[]) => ({ 'GET /v1/rollouts': { version: 1, rollouts } });

describe('the options of a rolling restart', () => {
  const body = async (...options: readonly string[]) => {
    const { asked } = await ask(
      { 'POST /v1/rollouts': created() },
      'rolling-restart',
      'worker',
      '--detach',
      ...options,
    );
    return asked[0]?.body;
  };

  test('come to the daemon as it takes them', async () => {
    const sent = await body(
      ...['--max-parallel', '25%', '--canary', '2', '--instances', '0-3,7', '--parallel', '--replace'],
      ...['--reason', ' deploy\n4711 '],
    );
    expect(sent).toEqual({
      selectors: ['worker'],
      keep_config: false,
      dry_run: false,
      max_parallel: '25%',
      canary: '2',
      instances: '0-3,7',
      parallel: true,
      replace: true,
      reason: 'deploy 4711',
    });
    expect(checkBody('createRollouts', sent)).toMatchObject({ ok: true });
  });

  test('no canary can be had whatever the config says', async () => {
    const sent = await body('--canary', '0');
    expect(sent).toMatchObject({ canary: '0' });
    expect(checkBody('createRollouts', sent)).toMatchObject({ ok: true });
  });

  test.each([
    [['--instances', '3-1'], '"3-1" runs backwards; write 1-3.'],
    [['--instances', '0-2,x'], '"0-2,x" does not name instances by number, such as 0-3 or 0,2,5-7.'],
    [['--instances', 'worker:1'], 'does not name instances by number'],
    [['--instances', ''], 'does not name instances by number'],
    [['--canary', 'some'], '"some" is not a number of instances, such as 2 or 10%; 0 is no canary.'],
    [['--canary', '-1'], 'is not a number of instances'],
    [['--canary', '101%'], 'is not a number of instances'],
    [['--max-parallel', '0'], 'with nobody away at once it would never begin; 1 is the least.'],
    [['--max-parallel', '0%'], 'with nobody away at once it would never begin; 1 is the least.'],
    [['--max-parallel', '1.5'], '"1.5" is not a number of instances, such as 2 or 25%.'],
    [['--max-parallel', '123456'], 'is not a number of instances'],
    [['--reason', ' '], 'it is empty; say why in a few words, or leave it out.'],
    [['--reason', 'x'.repeat(501)], 'it has 501 characters; 500 are kept.'],
  ])('%s is refused before anybody is asked', async (options, sentence) => {
    const { exit, err, asked } = await ask({}, 'rolling-restart', 'worker', ...options);
    expect({ exit, asked }).toEqual({ exit: EXIT.usage, asked: [] });
    expect(err).toContain(sentence);
    expect(err).toContain(options[0]);
  });

  test('one that is joined is said to be, and watched', async () => {
    const script = {
      'POST /v1/rollouts': created({ rollouts: [rollout()], joined: [7] }),
      'GET /v1/rollouts/7': { version: 1, rollout: { ...over, id: 7 } },
      'GET /v1/events': stream([], 'stays open'),
    };
    const { exit, err, out } = await ask(script, 'rolling-restart', 'worker');
    expect(exit).toBe(EXIT.done);
    expect(err).toContain('joins rollout 7 of worker (1 of 4 done); --replace begins anew');
    expect(out).toContain('rollout 7 of worker succeeded');
  });

  test('a reason that is given to one that is joined is not kept, and one that is paused is no success', async () => {
    const paused = rollout({ state: 'paused', reason: 'worker:1 exited with code 1' });
    const script = { 'POST /v1/rollouts': created({ rollouts: [paused], joined: [7] }) };
    const { exit, err } = await ask(script, 'rolling-restart', 'worker', '--detach', '--reason', 'again');
    expect(exit).toBe(EXIT.failed);
    expect(err).toBe(
      'joins rollout 7 of worker, which is paused (1 of 4 done); --replace begins anew\nwhat is joined keeps the reason that it was begun for\n',
    );
  });

  test('one in the way is a conflict, with its name', async () => {
    const script = { 'POST /v1/rollouts': refusal(409, 'conflict', 'rollout 7 of worker is under way', 'x') };
    expect(await ask(script, 'rolling-restart', 'worker')).toMatchObject({
      exit: EXIT.conflict,
      err: 'tsup-visor: rollout 7 of worker is under way; x, or take its place with --replace\n',
    });
    await daemon?.close();
    expect(await ask(script, 'rolling-restart', 'worker', '--replace')).toMatchObject({
      exit: EXIT.conflict,
      err: 'tsup-visor: rollout 7 of worker is under way; x\n',
    });
  });
});

test('a reload takes --parallel and --reason, too', async () => {
  const { asked } = await ask(
    { 'POST /v1/reload': reloaded() },
    'reload',
    '--parallel',
    '--reason',
    'deploy',
  );
  expect(asked[0]?.body).toEqual({ dry_run: false, parallel: true, reason: 'deploy' });
  expect(checkBody('reload', asked[0]?.body)).toMatchObject({ ok: true });
});

describe('steering', () => {
  test.each([
    ['pause', 8, [waiting, { ...held, state: 'paused' }]],
    ['resume', 7, [waiting, { ...held, state: 'paused' }]],
    ['promote', 7, [waiting, held]],
    ['abort', 8, [waiting, over]],
    ['revert', 8, [waiting, over]],
  ] as const)('%s means the one under way that it makes sense for', async (verb, id, rollouts) => {
    const route = `POST /v1/rollouts/${id}/${verb}`;
    const { exit, asked } = await ask(
      { ...known(...rollouts), [route]: { version: 1, rollout: rollout({ id }) } },
      'rollout',
      verb,
    );
    expect(exit).toBe(EXIT.done);
    expect(asked.at(-1)).toEqual({ method: 'POST', path: `/v1/rollouts/${id}/${verb}`, body: {} });
  });

  test('abort takes a reason, too', async () => {
    const aborted = rollout({ state: 'aborted', reason: 'it is late' });
    const { asked } = await ask(
      { ...known(rollout()), 'POST /v1/rollouts/7/abort': { version: 1, rollout: aborted } },
      ...['rollout', 'abort', '--reason', 'it is late'],
    );
    expect(asked.at(-1)?.body).toEqual({ reason: 'it is late' });
  });

  test('which of several is meant is not guessed', async () => {
    const { exit, err } = await ask(known(held, waiting), 'rollout', 'abort');
    expect(exit).toBe(EXIT.usage);
    expect(err).toContain('cannot tell which rollout to abort: 7 (worker), 8 (mailer); name one of them');
  });

  test('what is over is taken back by name alone, by a rollout of its own', async () => {
    const nameless = await ask(known(over), 'rollout', 'revert');
    expect(nameless).toMatchObject({
      exit: EXIT.usage,
      err: 'tsup-visor: no rollout is under way: nothing to revert; the last one, of worker, is taken back with "tsup-visor rollout revert 6"\n',
    });
    await daemon?.close();
    const cause = { kind: 'revert', by: 'alice', words: 'it fails each job', of: 6 } as const;
    const back = rollout({ id: 9, cause, done: 0, current: [] });
    const { asked, out, err } = await ask(
      { ...known(over), 'POST /v1/rollouts/6/revert': { version: 1, rollout: back } },
      ...['rollout', 'revert', '6', '--reason', 'it fails each job'],
    );
    expect(asked.at(-1)?.body).toEqual({ reason: 'it fails each job' });
    expect(out).toBe('rollout 9 of worker is running: 0 of 4 done\n');
    expect(err).toBe('its end is told by "tsup-visor rollout wait 9"\n');
  });

  test('what is asked to go on and pauses at once has failed', async () => {
    const paused = rollout({ state: 'paused', reason: 'worker:1 exited with code 1' });
    const script = { ...known(paused), 'POST /v1/rollouts/7/resume': { version: 1, rollout: paused } };
    expect(await ask(script, 'rollout', 'resume')).toMatchObject({ exit: EXIT.failed });
  });
});

describe('waiting for the end', () => {
  const until = (end: RolloutStatus) => {
    let looks = 0;
    return (response: ServerResponse) => {
      looks += 1;
      response.end(JSON.stringify({ version: 1, rollout: looks > 1 ? end : { ...end, state: 'running' } }));
    };
  };
  const events = (response: ServerResponse) => {
    stream([], 'stays open')(response);
    const about = { type: 'rollout', rollout: 7, program: 'worker', state: 'succeeded', reason: null };
    response.write(
      `${JSON.stringify({ version: 1, seq: 41, at: '', mono_ms: 1, message: 'x', ...about })}\n`,
    );
  };
  const script = (end: RolloutStatus) => ({
    ...known(rollout(), over),
    'GET /v1/rollouts/7': until(end),
    'GET /v1/events': events,
  });

  test('says nothing until then, then how it ended', async () => {
    const { exit, out, err } = await ask(script({ ...over, id: 7 }), 'rollout', 'wait', 'worker');
    expect({ exit, err }).toEqual({ exit: EXIT.done, err: '' });
    expect(out).toBe('rollout 7 of worker succeeded: 1 instance restarted in 1m12s, 3 left out\n');
  });

  test.each(['paused', 'failed', 'aborted', 'reverted'] as const)('%s is no success', async (state) => {
    const { exit, out } = await ask(script(rollout({ state, current: [] })), 'rollout', 'wait', '7');
    expect(exit).toBe(EXIT.failed);
    expect(out).toContain('rollout 7 of worker');
  });

  test('--timeout ends the waiting alone, also in a hold', async () => {
    const { exit, err } = await ask(
      {
        ...known(held),
        'GET /v1/rollouts/7': { version: 1, rollout: held },
        'GET /v1/events': stream([], 'stays open'),
      },
      ...['rollout', 'wait', '--timeout', '50ms'],
    );
    expect(exit).toBe(EXIT.timeout);
    expect(err).toBe(
      'tsup-visor: not done after 50ms: rollout 7 of worker is held after its canary, until it is promoted: 1 of 4 done, now worker:1; go on with "tsup-visor rollout promote 7", or go back with "tsup-visor rollout revert 7"\n',
    );
  });

  test('what has ended before anybody could wait for it is told as it ended', async () => {
    const last = rollout({ id: 9, state: 'aborted' });
    expect(await ask(known(last, over), 'rollout', 'wait')).toMatchObject({
      exit: EXIT.failed,
      out: expect.stringContaining('rollout 9 of worker was aborted'),
    });
  });

  test('where there was none, all is as it was asked for', async () => {
    expect(await ask(known(), 'rollout', 'wait')).toMatchObject({
      exit: EXIT.done,
      out: 'no rolling restart so far\n',
    });
  });

  test('--json answers with how it stands', async () => {
    const { out } = await ask(script({ ...over, id: 7 }), '--json', 'rollout', 'wait', '7');
    expect(JSON.parse(out)).toMatchObject({ version: 1, rollouts: [{ id: 7, state: 'succeeded' }] });
  });
});

describe('how they stand', () => {
  const first = rollout({ id: 5, state: 'aborted', ended_at: over.ended_at });
  const other = rollout({ id: 4, program: 'mailer', state: 'succeeded', done: 4, ended_at: over.ended_at });

  test('is told of what is under way in full and first, then of how the others ended', async () => {
    const { out } = await ask(known(other, first, over, held), 'rollout', 'status');
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toBe(
      'rollout 7 of worker is held after its canary, until it is promoted: 1 of 4 done, now worker:1',
    );
    expect(lines.at(-1)).toBe('rollout 4 of mailer succeeded: 4 instances restarted in 1m12s');
    expect(out).not.toMatch(/rollout [56] of/);
  });

  test('is told of a program by the one under way, else by its last one', async () => {
    const { out } = await ask(known(first, over, held), 'rollout', 'status', 'worker');
    expect(out).toContain('INSTANCE');
    expect(out.match(/^rollout \d+/gm)).toEqual(['rollout 7']);
    await daemon?.close();
    const ended = await ask(known(over, first), 'rollout', 'status', 'worker');
    expect(ended.out.match(/^rollout \d+/gm)).toEqual(['rollout 6']);
  });

  test('is told of any by its number', async () => {
    const { out } = await ask(known(first, over, held), 'rollout', 'status', '5');
    expect(out.match(/^rollout \d+/gm)).toEqual(['rollout 5']);
  });
});

test('a dry run with nobody to watch is refused, and one that would replace says whom', async () => {
  const both = await ask({}, 'rolling-restart', 'worker', '--dry-run', '--detach');
  expect(both).toMatchObject({ exit: EXIT.usage, asked: [], err: expect.stringContaining('--dry-run') });
  await daemon?.close();
  const script = { 'POST /v1/rollouts': created(), ...known(held, over) };
  const { out } = await ask(script, 'rolling-restart', 'worker', '--dry-run', '--replace');
  expect(out).toContain('would end rollout 7 of worker, which is under way (1 of 4 done)\n');
});

test('a rollout that is held says in status what to type', async () => {
  const { out } = await ask({ 'GET /v1/status': status([], { rollouts: [held] }) }, 'status');
  expect(out).toContain('rollout 7 of worker is held after its canary, until it is promoted: 1 of 4 done');
  expect(out).toContain('rollout promote 7"');
});
