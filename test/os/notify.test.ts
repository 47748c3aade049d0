/** What an instance reports arrives, whole and before its exit is known; a flood is counted and does no harm. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run as runOf } from '../../src/base/ids.ts';
import { loadLibc } from '../../src/os/libc.ts';
import { MAX_MESSAGE_BYTES, MAX_MESSAGES_PER_SECOND } from '../../src/os/notify-channel.ts';
import { createReports } from '../../src/os/reports.ts';
import { createWatch } from '../../src/os/watch.ts';
import * as protocol from '../../src/protocol/notify.ts';
import { until } from '../e2e/until.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { openStage } from '../rig/puppet.ts';
import { useHands } from './hands.ts';

const leaks = useLeakCheck();
const hands = useHands(leaks);

test('the limits are those that the protocol promises', () => {
  expect(MAX_MESSAGE_BYTES).toBe(protocol.MAX_MESSAGE_BYTES);
  expect(MAX_MESSAGES_PER_SECOND).toBe(protocol.MAX_MESSAGES_PER_SECOND);
});

for (const force of [undefined, 'proc'] as const) {
  const how = force === undefined ? '' : ', without koffi';

  test(`last words come before the exit, a last line without its newline included${how}`, async () => {
    const h = hands(force);
    const run = h.fixture(1, 'last-words');
    await h.until('exited', run);
    expect(h.happened.slice(1)).toEqual([
      { kind: 'notified', run, text: 'STOPPING=1', channel: 'line' },
      { kind: 'notified', run, text: 'X_INFLIGHT=0', channel: 'line' },
      { kind: 'notified', run, text: 'X_DRAINED=1', channel: 'line' },
      { kind: 'exited', run, exit: { kind: 'code', code: 0 } },
    ]);
    h.processes.forget(run);
  });

  test(`of a flood so many a second are heard, the rest is counted, and the channel lives on${how}`, async () => {
    const h = hands(force);
    const run = h.fixture(1, 'floods');
    await h.until('notified', run, ({ text }) => text === 'STATUS=over');
    const heard = h.happened.filter(({ kind }) => kind === 'notified').length;
    // All but the last word, ten thousand and one that is too long; some may have come in a second second.
    expect(heard + h.processes.droppedMessages(run)).toBe(10_002);
    expect(heard).toBeGreaterThanOrEqual(1001);
    expect(
      h.happened.some((event) => event.kind === 'notified' && event.text.length > MAX_MESSAGE_BYTES),
    ).toBe(false);
    await h.until('exited', run);
    h.processes.forget(run);
  });
}

test('datagrams and lines of a puppet arrive on their channels, and a line is held until its newline', async () => {
  const stage = await openStage();
  try {
    const h = hands();
    const run = h.spawn(1, stage.command, { environment: stage.environment('one') });
    const puppet = await stage.puppet('one');
    await puppet.tell({ do: 'datagram', text: 'READY=1\nSTATUS=up' });
    await h.until(
      'notified',
      run,
      ({ text, channel }) => text === 'READY=1\nSTATUS=up' && channel === 'datagram',
    );
    await puppet.tell({ do: 'line', text: 'X_INF' });
    await puppet.tell({ do: 'line', text: 'LIGHT=2\n\n' });
    await h.until('notified', run, ({ text, channel }) => text === '' && channel === 'line');
    expect(h.happened.slice(2)).toEqual([
      { kind: 'notified', run, text: 'X_INFLIGHT=2', channel: 'line' },
      { kind: 'notified', run, text: '', channel: 'line' },
    ]);
    await puppet.tell({ do: 'datagram', text: 'x'.repeat(MAX_MESSAGE_BYTES + 1) });
    await puppet.tell({ do: 'datagram', text: 'STATUS=after' });
    await h.until('notified', run, ({ text }) => text === 'STATUS=after');
    expect(h.processes.droppedMessages(run)).toBe(1);
    await h.end(run);
  } finally {
    await stage.close();
  }
});

test('a job in a session of its own is still heard after its leader has ended', async () => {
  const stage = await openStage();
  try {
    const h = hands();
    const run = h.spawn(1, stage.command, { environment: stage.environment('leader') });
    const leader = await stage.puppet('leader');
    await leader.tell({ do: 'fork', name: 'job', own: 'session' });
    const job = await stage.puppet('job');
    await leader.tell({ do: 'exit', code: 0 });
    await h.until('exited', run);
    h.processes.survey(run);
    await h.until('tree', run, ({ left }) => left === 1);
    await job.tell({ do: 'line', text: 'X_INFLIGHT=1\n' });
    await h.until('notified', run, ({ text }) => text === 'X_INFLIGHT=1');
    await job.tell({ do: 'exit', code: 0 });
    await h.until('tree', run, ({ left }) => left === 0);
    h.processes.forget(run);
  } finally {
    await stage.close();
  }
});

test('the channels have private names under the run folder until the run is forgotten', async () => {
  const h = hands();
  const run = h.fixture(1, 'ignores-term');
  const folder = join(h.folder, 'notify');
  await h.until('notified', run);
  expect(readdirSync(folder).sort()).toEqual(['1.sock']);
  await h.end(run);
  expect(readdirSync(folder)).toEqual([]);
  expect(existsSync(folder)).toBe(true);
});

test('an instance gets the address of its channels, and never that of the daemon’s own', async () => {
  const h = hands();
  const run = h.spawn(1, ['bash', '-c', 'echo "STATUS=$NOTIFY_SOCKET $TSUP_VISOR_NOTIFY_FD" >&3'], {
    environment: { NOTIFY_SOCKET: '/run/systemd/notify' },
  });
  const { text } = await h.until('notified', run);
  expect(text).toBe(`STATUS=${h.folder}/notify/1.sock 3`);
  await h.until('exited', run);
});

test('a silent channel costs nothing: no timer runs, and a leader without readers is not ended by SIGPIPE', async () => {
  const h = hands();
  const run = h.fixture(1, 'ignores-term');
  await h.until('notified', run);
  expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThanOrEqual(1); // the test's
  await h.end(run);
});

test('what an earlier daemon has left under the name of a channel gives way to the new one', async () => {
  const h = hands();
  const folder = join(h.folder, 'notify');
  mkdirSync(folder);
  writeFileSync(join(folder, '1.sock'), '');
  const run = h.fixture(1, 'last-words');
  await h.until('exited', run);
  expect(h.happened.some(({ kind }) => kind === 'notified')).toBe(true);
  h.processes.forget(run);
  expect(readdirSync(folder)).toEqual([]);
});

test('the folder of the channels is made anew, with its mode, when somebody has removed it', async () => {
  const h = hands();
  const folder = join(h.folder, 'notify');
  await h.until('exited', h.fixture(1, 'last-words'));
  rmSync(folder, { recursive: true });
  await h.until('exited', h.fixture(2, 'last-words'));
  expect(h.happened.filter(({ kind }) => kind === 'spawnFailed')).toEqual([]);
  expect(statSync(folder).mode & 0o777).toBe(0o711);
});

test.runIf(process.platform === 'linux')(
  'a line leaves the pipe when it has been dealt with: a daemon that is killed before has not taken it along',
  async () => {
    const libc = loadLibc();
    const watch = libc === null ? null : createWatch(libc, NOTHING, NOTHING);
    const copy = libc?.makePipe();
    if (libc === null || watch === null || copy === undefined || 'errno' in copy) throw new Error('no koffi');
    const folder = mkdtempSync(join(tmpdir(), 'tv-notify-'));
    const heard: string[] = [];
    const inPipe: number[] = [];
    const reports = createReports(libc, watch, folder, (_, text) => {
      heard.push(text);
      if (text === 'READY=1') inPipe.push(libc.copyPipe(given, copy.write, 100));
    });
    const report = reports.open(runOf(1), null);
    const given = report.ok && typeof report.value.stdio === 'number' ? report.value.stdio : -1;
    try {
      writeSync(given, 'READY=1\n');
      await until('it is heard', () => heard.length === 1);
      writeSync(given, 'STATUS=up\n');
      await until('the next one, too', () => heard.length === 2);
      expect({ heard, inPipe }).toEqual({ heard: ['READY=1', 'STATUS=up'], inPipe: ['READY=1\n'.length] });
      expect(libc.copyPipe(given, copy.write, 100), 'nothing is left').toBe(-1);
    } finally {
      if (report.ok) report.value.close();
      reports.close();
      watch.close();
      for (const end of [copy.read, copy.write]) closeSync(end);
      rmSync(folder, { recursive: true });
    }
  },
);

const NOTHING = () => {};
