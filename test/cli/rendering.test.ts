/** What is shown, at the widths that terminals have. */
import { describe, expect, test } from 'vitest';
import { actionLines, changeLines, TO_RUN } from '../../src/cli/render/actions.ts';
import { colour } from '../../src/cli/render/colour.ts';
import { mixedLines } from '../../src/cli/render/mixed.ts';
import { plain } from '../../src/cli/render/paint.ts';
import { statusLines } from '../../src/cli/render/status.ts';
import { cut, folded, printable, widthOf, wrap } from '../../src/cli/render/text.ts';
import { idRanges, inLocalTime, memory, remaining, stamp, until } from '../../src/cli/render/words.ts';
import { action, draining, instance, rollout, status } from './samples.ts';

const now = new Date(2026, 0, 31, 14, 0, 41);
const deadline = new Date(2026, 0, 31, 14, 5).toISOString();
const LONG =
  'importing the customers of a shop that has more of them than anybody would have thought possible';

const fleet = status(
  [
    instance({ message: LONG }),
    draining({
      id: 'worker:1',
      pid: 4721,
      drain: { since: '', elapsed_ms: 41_000, deadline, in_flight: 2 },
    }),
    instance({
      id: 'mailer:0',
      state: 'backoff',
      ready: false,
      pid: null,
      uptime_ms: null,
      cpu_percent: null,
      memory_bytes: null,
      message: 'exited with code 1, tried again in 3s',
    }),
    instance({
      id: '列車:0',
      state: 'stopped',
      wanted: 'down',
      pid: null,
      message: 'stopped by the operator',
    }),
  ],
  { rollouts: [rollout({ state: 'paused', reason: 'worker:1 exited with code 1 before it was ready' })] },
);

describe.each([40, 80, 140])('status in %i columns', (width) => {
  const lines = statusLines(fleet, { paint: plain, width, now });

  test('breaks no line', () => {
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
  });

  test('names every instance and its state', () => {
    const text = lines.join('\n');
    for (const { id, state } of fleet.instances) expect(text).toMatch(new RegExp(`^${id} +${state}`, 'm'));
  });

  test('takes the same room with colours', () => {
    const coloured = statusLines(fleet, { paint: colour, width, now });
    expect(coloured.map(widthOf)).toEqual(lines.map(widthOf));
    expect(coloured.join('')).not.toBe(lines.join(''));
  });
});

test('status at 80 columns', () => {
  expect(`\n${statusLines(fleet, { paint: plain, width: 80, now }).join('\n')}\n`).toMatchInlineSnapshot(`
    "
    INSTANCE  STATE     UPTIME    CPU  MEMORY  MESSAGE
    worker:0  running     1m1s  12.5%   70 MB  importing the customers of a shop th…
    worker:1  draining    1m1s  12.5%   70 MB  draining 41s, 2 jobs in flight, unti…
    mailer:0  backoff        -      -       -  exited with code 1, tried again in 3s
    列車:0    stopped     1m1s  12.5%   70 MB  stopped by the operator

    rollout 7 of worker is paused after 1 of 4: worker:1 exited with code 1 before
      it was ready
      go on with "tsup-visor rollout resume 7"
      go back with "tsup-visor rollout revert 7"
      leave it as it is with "tsup-visor rollout abort 7"
    "
  `);
});

test('status at 140 columns', () => {
  expect(`\n${statusLines(fleet, { paint: plain, width: 140, now }).join('\n')}\n`).toMatchInlineSnapshot(`
    "
    INSTANCE  STATE      PID  UPTIME  RESTARTS    CPU  MEMORY  MESSAGE
    worker:0  running   4720    1m1s         1  12.5%   70 MB  importing the customers of a shop that has more of them than anybody would have…
    worker:1  draining  4721    1m1s         1  12.5%   70 MB  draining 41s, 2 jobs in flight, until 14:05
    mailer:0  backoff      -       -         1      -       -  exited with code 1, tried again in 3s
    列車:0    stopped      -    1m1s         1  12.5%   70 MB  stopped by the operator

    rollout 7 of worker is paused after 1 of 4: worker:1 exited with code 1 before it was ready
      go on with "tsup-visor rollout resume 7"
      go back with "tsup-visor rollout revert 7"
      leave it as it is with "tsup-visor rollout abort 7"
    "
  `);
});

test('nothing is cut where there is no terminal', () => {
  expect(statusLines(fleet, { paint: plain, width: undefined, now }).join('\n')).toContain(LONG);
});

test('where there is no room for all, what is not simply running comes first, and the remarks stay', () => {
  const ids = [0, 1, 2, 3, 4].map((index) => instance({ id: `worker:${index}` }));
  const failed = instance({ id: 'worker:5', state: 'failed', ready: false });
  const reply = status([...ids, failed]);
  const warned = { ...reply, daemon: { ...reply.daemon, warnings: ['the disk is full'] } };
  const lines = statusLines(warned, { paint: plain, width: 80, now, rows: 8 });
  expect(lines.map((line) => line.split(' ')[0])).toEqual([
    'INSTANCE',
    'worker:5',
    'worker:0',
    'worker:1',
    '…',
    '',
    'to',
    'warning:',
  ]);
  expect(lines[4]).toBe('… and 3 more');
  expect(statusLines(warned, { paint: plain, width: 80, now, rows: 10 })[1]).toContain('worker:0');
});

test('a message cannot move the cursor', () => {
  const lines = statusLines(status([instance({ message: '\x1b[2Jgone\r\n' })]), {
    paint: plain,
    width: 80,
    now,
  });
  expect(lines.join('')).not.toContain('\x1b');
  expect(lines).toHaveLength(2);
});

test('a drain without a deadline says so', () => {
  const [, line] = statusLines(status([draining()]), { paint: plain, width: 140, now });
  expect(line).toContain('draining 41s, 2 jobs in flight, no deadline');
});

test('a drain past its deadline is not said to have none', () => {
  const late = draining({ message: 'past its deadline; "tsup-visor signal TERM worker:0" ends its jobs' });
  const [, line] = statusLines(status([late]), { paint: plain, width: 200, now });
  expect(line).toContain(
    'draining 41s, 2 jobs in flight; past its deadline; "tsup-visor signal TERM worker:0" ends its jobs',
  );
});

test('what runs but is not ready, or not healthy, is said', () => {
  const both = [instance({ ready: false }), instance({ healthy: false })];
  const [, first, second] = statusLines(status(both), { paint: plain, width: 140, now });
  expect(first).toContain('running, not ready');
  expect(second).toContain('running, unhealthy');
});

const shown = (given: Parameters<typeof instance>[0]) =>
  statusLines(status([instance({ pid: null, ready: false, ...given })]), {
    paint: plain,
    width: undefined,
    now,
  })[1];

test('who waits for another program says for which, and why that is not there', () => {
  const waiting = { state: 'waiting', waits_for: 'redis' } as const;
  expect(shown({ ...waiting, message: 'waits for redis to be ready: it is stopped' })).toMatch(
    / waiting .* for redis to be ready: it is stopped$/,
  );
  expect(shown(waiting)).toMatch(/ waiting .* for redis$/);
  expect(shown({ ...waiting, next_run: now.toISOString() })).toMatch(/ waiting .* for redis$/);
});

test('who waits for a time says when that is, in the time of the place, and how the last run failed', () => {
  const waiting = {
    state: 'waiting',
    next_run: new Date(2026, 0, 31, 14, 5).toISOString(),
    message: 'runs next at 2026-01-31T13:05:00.000Z',
  } as const;
  expect(shown(waiting)).toMatch(/ waiting .* next run 14:05$/);
  expect(shown({ ...waiting, last_exit: { ...EXITED, code: 3 } })).toMatch(
    / next run 14:05; its last run exited with code 3$/,
  );
  expect(shown({ ...waiting, last_exit: { ...EXITED, because: 'exit' } })).toMatch(/ next run 14:05$/);
});

const EXITED = {
  code: null,
  signal: null,
  at: '2026-01-31T13:59:00.000Z',
  because: 'crash',
  drained: false,
  killed: false,
  oom: false,
} as const;

test('what the kernel has ended for want of memory says so, once', () => {
  const oom = { ...EXITED, signal: 'KILL', oom: true };
  const words = 'was ended by the kernel: out of memory';
  expect(shown({ ready: true, last_exit: oom })).toMatch(new RegExp(` its last run ${words}$`));
  const backoff = { state: 'backoff', last_exit: oom, message: `${words}; tried again in 3s` } as const;
  expect(shown(backoff)).toMatch(new RegExp(` ${words}; tried again in 3s$`));
  expect(shown({ state: 'backoff', last_exit: EXITED, message: 'x' })).toMatch(/ x$/);
});

test('why it was started again is said for a while', () => {
  const since = (minutes: number) => ({ at: new Date(now.getTime() - minutes * 60_000).toISOString() });
  const back = (given: object, minutes = 5) =>
    shown({ ready: true, last_exit: { ...EXITED, ...since(minutes), ...given } });
  expect(back({ code: 3 })).toMatch(/ its last run exited with code 3 at \d\d:\d\d:\d\d$/);
  expect(back({ code: 3 }, 11)).not.toContain('last run');
  expect(back({ signal: 'TERM', because: 'unhealthy' })).toMatch(/ its last run was unhealthy at /);
  expect(back({ signal: 'TERM', because: 'watchdog' })).toMatch(/ its last run was taken for hung at /);
  expect(back({ signal: 'TERM', because: 'not ready' })).toMatch(/ its last run was not ready in time, at /);
  expect(back({ signal: 'TERM', because: 'hook' })).toMatch(/ a hook of its last run failed at /);
  expect(back({ code: 0, because: 'rollout 7' })).not.toContain('last run');
});

test('what has completed says how and when', () => {
  const last_exit = { ...EXITED, code: 0, because: 'exit', at: now.toISOString() };
  expect(shown({ state: 'exited', last_exit })).toMatch(/ exited .* exited with code 0 at \d\d:\d\d:\d\d$/);
});

test('how to try again what has failed stands below the table', () => {
  const failed = (...ids: string[]) =>
    statusLines(status(ids.map((id) => instance({ id, program: id.split(':')[0] ?? '', state: 'failed' }))), {
      paint: plain,
      width: undefined,
      now,
    }).at(-1);
  expect(failed('worker:0')).toBe('to try again what has failed: "tsup-visor start worker:0"');
  expect(failed('worker:0', 'mail:1')).toBe(
    'to try again what has failed: "tsup-visor start worker:0 mail:1"',
  );
  const many = [0, 1, 2, 3, 4, 5].map((index) => `worker:${index}`);
  expect(failed(...many)).toBe('to try again what has failed: "tsup-visor start worker"');
});

test('how processes are tracked is said where it is not by cgroup', () => {
  const by = (tracking: string) => {
    const base = status([]);
    const reply = { ...base, daemon: { ...base.daemon, tracking } };
    return statusLines(reply, { paint: plain, width: 140, now }).slice(1);
  };
  expect(by('cgroup')).toEqual([]);
  expect(by('session')[1]).toBe(
    'tracking: by session and environment mark, for no cgroup can be written here',
  );
  expect(by('group')[1]).toContain('tracking: by process group');
});

test('a program that was scaled, and one without instances, are not forgotten', () => {
  const counts = [
    { program: 'worker', instances: 0, configured: 3 },
    { program: 'mail', instances: 1, configured: 2 },
    { program: 'spare', instances: 0, configured: 0 },
  ];
  expect(
    statusLines(status([], { counts }), { paint: plain, width: undefined, now }).join('\n'),
  ).toBe(`no instances

worker: 0 instances, scaled to 0 by an operator; the config has 3
mail: 1 instance, scaled to 1 by an operator; the config has 2
spare: 0 instances, as the config has it`);
});

test('a warning of the daemon stands below the table', () => {
  const base = status([]);
  const warned = { ...base, daemon: { ...base.daemon, warnings: ['the disk is full'] } };
  expect(statusLines(warned, { paint: plain, width: 80, now })).toEqual([
    'no instances',
    '',
    'warning: the disk is full',
  ]);
});

test('an action tells what went wrong before the sum', () => {
  const [first, second, third] = action().instances;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('the sample has four');
  const reply = action({
    instances: [
      first,
      { ...second, ok: false, state: 'failed', message: 'worker:1 exited with code 1 after 20ms' },
      { ...third, already: true },
    ],
    left_stopped: ['mailer:0'],
  });
  expect(actionLines(reply, { done: 'ready', begun: 'starting' })).toEqual([
    'worker:1 exited with code 1 after 20ms',
    '1 instance ready (worker:0)',
    '1 instance ready already (worker:2)',
    '1 instance not ready (worker:1)',
    'left stopped, as an operator wished: mailer:0; start them by name',
  ]);
});

test('an action tells who has run to the end and who waits, and for what', () => {
  const [first, second, third] = action().instances;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('the sample has four');
  const message = 'worker:2 runs next at 2026-02-01T00:00:00.000Z';
  const reply = action({
    instances: [first, { ...second, state: 'exited' }, { ...third, state: 'waiting', message }],
  });
  expect(actionLines(reply, { ...TO_RUN, begun: 'starting' })).toEqual([
    inLocalTime(message),
    '1 instance ready (worker:0)',
    '1 instance completed (worker:1)',
    '1 instance waiting (worker:2)',
  ]);
});

test('who was cut short is told of before the sum', () => {
  const message = 'worker:0 is stopped; it had to be killed after 10s, with 2 jobs in flight';
  const told = {
    id: 'worker:0',
    state: 'stopped',
    ok: true,
    already: false,
    cut_short: true,
    message,
  } as const;
  expect(actionLines(action({ instances: [told] }), { done: 'stopped', begun: 'stopping' })).toEqual([
    message,
    '1 instance stopped (worker:0)',
  ]);
});

test('what is to be remarked comes last', () => {
  const remarks = ['worker works on without redis'];
  expect(actionLines(action({ remarks }), { done: 'stopped', begun: 'stopping' }).at(-1)).toBe(
    'worker works on without redis',
  );
});

test('an action that did not wait says what has begun', () => {
  const reply = action({ instances: action().instances.map((each) => ({ ...each, ok: null })) });
  expect(actionLines(reply, { done: 'ready', begun: 'starting' })).toEqual([
    '4 instances starting (worker:0-3)',
  ]);
});

test('a change of the config is one line', () => {
  const change = {
    program: 'worker',
    key: 'drain.timeout',
    from: '5m',
    to: '10m',
    effect: 'next_start',
    note: 'for new runs',
  } as const;
  expect(changeLines([change])).toEqual([
    'worker: drain.timeout 5m -> 10m (from the next run on; for new runs)',
  ]);
});

test('words', () => {
  expect(idRanges(['a:0', 'a:1', 'a:2', 'b:0', 'a:4'])).toBe('a:0-2, b:0, a:4');
  expect([memory(0), memory(1023), memory(73_400_320), memory(1.5 * 2 ** 30), memory(null)]).toEqual([
    '0 B',
    '1023 B',
    '70 MB',
    '1.5 GB',
    '-',
  ]);
  expect(until(deadline, now)).toBe('until 14:05');
  expect(until(deadline, new Date(Date.parse(deadline) - 59_000))).toBe('until 14:05:00');
  expect(until(deadline, new Date(2026, 0, 30))).toBe('until 2026-01-31 14:05');
});

test.each([
  ['UTC', '2026-01-31T14:00:01+00:00'],
  ['Asia/Kolkata', '2026-01-31T19:30:01+05:30'],
  ['America/St_Johns', '2026-01-31T10:30:01-03:30'],
  ['Pacific/Auckland', '2026-02-01T03:00:01+13:00'],
])('a time is local, with its offset: %s', (zone, shown) => {
  const before = process.env.TZ;
  try {
    process.env.TZ = zone;
    expect(stamp('2026-01-31T14:00:01.999Z')).toBe(shown);
    expect(inLocalTime('runs next at 2026-01-31T14:00:01.999Z, or so')).toBe(`runs next at ${shown}, or so`);
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});

test('an expectation is told no more exactly than it is', () => {
  const told = [3_700_000, 200_000, 61_000, 47_000, 4000, -4000, -20_000].map(remaining);
  expect(told).toEqual([
    'about 1h2m left',
    'about 3m30s left',
    'about 1m30s left',
    'about 50s left',
    'a few seconds left',
    '',
    'longer than expected',
  ]);
});

test('text is measured in columns, not in characters', () => {
  expect([widthOf('abc'), widthOf('列車'), widthOf('🚂'), widthOf('e\u0301')]).toEqual([3, 4, 2, 1]);
  expect(cut('列車列車', 5)).toBe('列車…');
  expect(cut('abcdef', 6)).toBe('abcdef');
  expect(cut('abcdef', 5)).toBe('abcd…');
  expect(cut('abcdef', 0)).toBe('');
  expect(printable('a\tb\x1b[1m')).toBe('a b [1m');
  expect(wrap('one two three four', 9, '  ')).toEqual(['one two', '  three', '  four']);
  expect(wrap('see "a b c" or ("d e")', 9)).toEqual(['see', '"a b c"', 'or', '("d e")']);
  expect(wrap('a-word-that-is-wide "two words"', 10)).toEqual(['a-word-th…', '"two', 'words"']);
  expect(folded('  a-wide-word "two words"', 10, '  ')).toEqual(['  a-wide-word', '  "two words"']);
});

describe('instances of one program with different revisions', () => {
  const [first, second, third] = ['ff068191', '39c6e586', 'ff068191'].map((revision, index) =>
    instance({ id: `worker:${index}`, index, revision }),
  );
  const mixed = [first, second, third].filter((each) => each !== undefined);
  const shown = (state: 'running' | 'paused' | 'aborted') =>
    statusLines(status(mixed, { rollouts: [rollout({ state })] }), { paint: plain, width: 100, now });

  test('are told where no rollout is at work on them', () => {
    expect(shown('aborted')).toContain(
      'worker runs 2 revisions: ff068191 (2 instances), 39c6e586 (worker:1)',
    );
    for (const state of ['running', 'paused'] as const) {
      expect(shown(state).join()).not.toContain('revisions');
    }
  });

  test('are not told of what does not run, nor where there is one', () => {
    expect(
      mixedLines(
        mixed.map((each) => ({ ...each, pid: null })),
        [],
      ),
    ).toEqual([]);
    expect(
      mixedLines(
        mixed.map((each) => ({ ...each, program: each.id })),
        [],
      ),
    ).toEqual([]);
  });
});
