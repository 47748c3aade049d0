/** What the live view does to a terminal: it is whole again whenever somebody else writes to it. */
import type { ServerResponse } from 'node:http';
import { afterEach, expect, test, vi } from 'vitest';
import { run } from '../../src/cli/command-line.ts';
import { widthOf } from '../../src/cli/render/text.ts';
import { screen } from '../../src/cli/screen.ts';
import { EXIT } from '../../src/protocol/errors.ts';
import type { RolloutStatus } from '../../src/protocol/status.ts';
import { type FakeDaemon, fakeDaemon, stream } from './fake-daemon.ts';
import { created, draining, rollout, status } from './samples.ts';
import { type Given, type Terminal, terminal } from './terminal.ts';

let daemon: FakeDaemon;
/** What the daemon tells of its rollout. */
let now: RolloutStatus;

afterEach(() => daemon.close());

const HIDE = '\x1b[?25l';
const SHOW = '\x1b[?25h';
const BELL = '\x07';
const canary = { count: 1, state: 'held', until: null, hold_ms: null } as const;
const held = rollout({ canary, current: [], done: 1 });
const ended = rollout({ state: 'succeeded', done: 4, current: [], ended_at: '2026-01-31T14:01:12.000Z' });
const utf8 = { LANG: 'C.UTF-8' };

async function watching(first: RolloutStatus, given: Given = {}, ...options: readonly string[]) {
  now = first;
  daemon = await fakeDaemon({
    'POST /v1/rollouts': created({ rollouts: [first] }),
    'GET /v1/rollouts/7': (response: ServerResponse) => {
      response.end(JSON.stringify({ version: 1, rollout: now }));
    },
    'GET /v1/events': stream([], 'stays open'),
    'GET /v1/status': status([draining({ id: 'worker:1' })]),
  });
  const there = terminal({ terminal: { columns: 80, rows: 24 }, env: { ...utf8, NO_COLOR: '1' }, ...given });
  const asked = daemon.got('GET /v1/status');
  const exit = run(['--socket', daemon.socket, ...options, 'rolling-restart', 'worker'], there.io);
  await asked;
  return { there, exit };
}

const until = (there: Terminal, text: string) =>
  vi.waitUntil(() => there.out().includes(text), { timeout: 10_000 });
const count = (text: string, part: string): number => text.split(part).length - 1;

test('a frame is one write, and the same frame is not written again', async () => {
  const { there, exit } = await watching(held);
  await until(there, 'held after the canary of 1');
  const before = there.writes.length;
  // Two more looks at least: nothing has changed but the time, which is shown in seconds.
  await daemon.got('GET /v1/status');
  await daemon.got('GET /v1/status');
  expect(there.writes.length - before).toBeLessThanOrEqual(2);
  now = ended;
  expect(await exit).toBe(EXIT.done);
  for (const write of there.writes.filter((each) => each.includes('worker  ['))) {
    expect(count(write, 'worker  [')).toBe(1);
    expect(write.endsWith('\x1b[J\x1b[?7h')).toBe(true);
  }
});

test('what is shown already is not written again', () => {
  const there = terminal({ terminal: { columns: 80, rows: 24 } });
  const block = screen(there.io, () => {});
  block.draw(['one', 'two']);
  block.draw(['one', 'two']);
  expect(there.writes).toHaveLength(1);
  block.draw(['one', 'three']);
  expect(there.writes).toHaveLength(2);
  block.close();
});

test('the last words break between words, and no command in two', async () => {
  const { there, exit } = await watching(rollout(), { terminal: { columns: 60, rows: 24 } });
  now = rollout({ state: 'paused', reason: 'worker:1 has not drained within 5m, with 2 jobs in flight' });
  expect(await exit).toBe(EXIT.failed);
  const last = there
    .out()
    .slice(there.out().lastIndexOf('rollout 7 of worker is paused'))
    .replaceAll(daemon.socket, 'S');
  expect(last).toBe(`rollout 7 of worker is paused after 1 of 4: worker:1 has not
  drained within 5m, with 2 jobs in flight
  go on with
    "tsup-visor --socket S rollout resume 7"
  go back with
    "tsup-visor --socket S rollout revert 7"
  leave it as it is with
    "tsup-visor --socket S rollout abort 7"
`);
});

test('so does what is said when the watching ends first', async () => {
  const { there, exit } = await watching(rollout(), { terminal: { columns: 40, rows: 24 } });
  there.interrupt();
  expect(await exit).toBe(EXIT.interrupted);
  expect(there.err().replaceAll(daemon.socket, 'S')).toBe(
    '\rtsup-visor: the rollout goes on; see\n  "tsup-visor --socket S rollout status"\n',
  );
});

test('a hold rings once and names the window; the title is given back when it goes on', async () => {
  const { there, exit } = await watching(held);
  await until(there, BELL);
  expect(there.out()).toContain('\x1b[22;2t\x1b]2;worker: held at 1 of 4\x1b\\');
  await daemon.got('GET /v1/status');
  now = rollout({ canary: { ...canary, state: 'promoted' } });
  await until(there, '\x1b]2;\x1b\\\x1b[23;2t');
  now = ended;
  await exit;
  expect(count(there.out(), BELL)).toBe(1);
  expect(count(there.out(), '\x1b[22;2t')).toBe(count(there.out(), '\x1b[23;2t'));
});

test('a pause rings, and the last words come under a title that is given back', async () => {
  const { there, exit } = await watching(rollout());
  now = rollout({ state: 'paused', reason: 'worker:1 has not drained within 5m' });
  expect(await exit).toBe(EXIT.failed);
  expect(count(there.out(), BELL)).toBe(1);
  const words = there.out().lastIndexOf('rollout 7 of worker is paused');
  expect(words).toBeGreaterThan(there.out().lastIndexOf('\x1b[23;2t'));
  expect(words).toBeGreaterThan(there.out().lastIndexOf(SHOW));
});

test('in a pipe nothing rings, moves or is coloured; a hold says what to type', async () => {
  now = held;
  daemon = await fakeDaemon({
    'POST /v1/rollouts': created({ rollouts: [held] }),
    'GET /v1/rollouts/7': (response: ServerResponse) => {
      response.end(JSON.stringify({ version: 1, rollout: now }));
    },
    'GET /v1/events': (response: ServerResponse) => {
      stream([], 'stays open')(response);
      const tell = (seq: number, state: string) => {
        const about = { type: 'rollout', rollout: 7, program: 'worker', state, reason: null };
        const head = { version: 1, seq, at: '', mono_ms: 1, message: 'x' };
        response.write(`${JSON.stringify({ ...head, ...about })}\n`);
      };
      tell(41, 'running');
      tell(42, 'running');
      setTimeout(() => {
        now = ended;
        tell(43, 'succeeded');
      }, 100);
    },
  });
  const there = terminal({ env: utf8 });
  expect(await run(['--socket', daemon.socket, 'rolling-restart', 'worker'], there.io)).toBe(EXIT.done);
  for (const control of ['\x07', '\x1b']) expect(there.out() + there.err()).not.toContain(control);
  expect(count(there.err(), 'rollout promote 7')).toBe(1);
});

test.each(['leave', 'interrupt'] as const)('the cursor and the title are given back on %s', async (way) => {
  const { there, exit } = await watching(held);
  await until(there, BELL);
  if (way === 'leave') {
    there.tell('leave');
    expect(there.out().endsWith(`\x1b]2;\x1b\\\x1b[23;2t\r\x1b[J${SHOW}`)).toBe(true);
  }
  there.interrupt();
  expect(await exit).toBe(EXIT.interrupted);
  expect(there.out().lastIndexOf(SHOW)).toBeGreaterThan(there.out().lastIndexOf(HIDE));
  expect(there.out().lastIndexOf('\x1b[23;2t')).toBeGreaterThan(there.out().lastIndexOf('\x1b[22;2t'));
});

test('after Ctrl-Z and back it is drawn anew, below what the shell has written', async () => {
  const { there, exit } = await watching(held);
  await until(there, 'held after the canary of 1');
  there.tell('leave');
  const before = there.writes.length;
  there.tell('back');
  const frame = there.writes[before] ?? '';
  expect(frame.startsWith(`\x1b[22;2t\x1b]2;worker: held at 1 of 4\x1b\\${HIDE}\x1b[?7l`)).toBe(true);
  expect(frame).not.toContain(BELL);
  there.interrupt();
  await exit;
});

test('a terminal that becomes narrower while it is drawn gets lines that fit, over all that has wrapped', async () => {
  const { there, exit } = await watching(held);
  await until(there, 'held after the canary of 1');
  const wide = linesOf(there.writes.findLast((each) => each.includes('worker  [')) ?? '');
  const before = there.writes.length;
  there.resize(40, 24);
  const frame = there.writes[before] ?? '';
  const wrapped = wide.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / 40)), 0);
  expect(wrapped).toBeGreaterThan(wide.length);
  expect(frame).toContain(`\x1b[${wrapped}A\r`);
  for (const line of linesOf(frame)) expect(widthOf(line)).toBeLessThanOrEqual(40);
  there.interrupt();
  await exit;
});

/** What a frame shows. */
const linesOf = (frame: string): string[] =>
  frame
    .split('\x1b[')
    .map((part, at) => (at === 0 ? part : part.replace(/^[?\d;]*[A-Za-z]/, '')))
    .join('')
    .replaceAll('\r', '')
    .split('\n')
    .slice(0, -1);

test('there is colour on a terminal, unless it is not wanted', async () => {
  const coloured = async (given: Given, ...options: readonly string[]) => {
    const { there, exit } = await watching(rollout(), given, ...options);
    now = ended;
    await exit;
    await daemon.close();
    return there
      .out()
      .split('\x1b[')
      .some((part) => /^\d+m/.test(part));
  };
  expect(await coloured({ env: utf8 })).toBe(true);
  expect(await coloured({ env: { ...utf8, NO_COLOR: '1' } })).toBe(false);
  expect(await coloured({ env: utf8 }, '--no-color')).toBe(false);
});

test('a terminal that shows ASCII alone gets no more', async () => {
  const long = rollout({ reason: `waits for ${'x'.repeat(100)}`, current: [] });
  const { there, exit } = await watching(long, { env: { LANG: 'C', NO_COLOR: '1' } });
  now = ended;
  await exit;
  expect(there.out()).toMatch(/x~/);
  expect([...there.out()].filter((character) => character > '~')).toEqual([]);
});

test('a terminal that cannot move its cursor gets a line an event', async () => {
  now = ended;
  daemon = await fakeDaemon({
    'POST /v1/rollouts': created(),
    'GET /v1/rollouts/7': { version: 1, rollout: ended },
    'GET /v1/events': stream([], 'stays open'),
  });
  const there = terminal({ terminal: { columns: 80, rows: 24 }, env: { ...utf8, TERM: 'dumb' } });
  expect(await run(['--socket', daemon.socket, 'rolling-restart', 'worker'], there.io)).toBe(EXIT.done);
  expect(there.out()).toMatch(/^\S+ rollout 7 of worker begins: .*\nrollout 7 of worker succeeded/);
});
