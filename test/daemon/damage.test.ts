/** Whatever has become of the journal, the next daemon takes up all that lives, and says what it could not read. */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pid, type Run, revision, rolloutId, run } from '../../src/base/ids.ts';
import { lifeOf } from '../../src/core/instance/phase.ts';
import { KEPT_ASIDE } from '../../src/daemon/aside.ts';
import { describeInstance } from '../../src/daemon/describe.ts';
import { readJournalText } from '../../src/daemon/journal-text.ts';
import type { Unrecorded } from '../../src/ports/processes.ts';
import { at, BEGIN, program, worker } from '../core/rig.ts';
import { Heir, journalFile, useHeirs } from './heir.ts';

useHeirs();

const OLD = program({ instances: 4, ready: { when: 'notify', timeoutMs: null } });
const NEW = { ...OLD, command: ['new'], revision: revision('two') };

/** In the midst of a rollout: the first has been replaced and has crashed once, the second drains, the last is down. */
function busy(): Heir {
  const heir = new Heir({ programs: [OLD] }).start();
  const ready = (index: number) =>
    heir.take({ type: 'notified', run: heir.run(index), message: { ready: true } });
  for (const index of [0, 1, 2, 3]) {
    heir.spawned(index);
    ready(index);
  }
  heir
    .take({ type: 'stop', ids: [worker(3)], how: 'drain' })
    .exited(0, 3)
    .empty(3);
  const ids = [worker(0), worker(1), worker(2)];
  heir.follow([NEW]).take({ ...BEGIN, program: NEW, ids, maxParallel: 1 });
  heir.exited(0).empty(0).spawned(0);
  ready(0);
  return heir.at(600).take({ type: 'due', timer: { of: 'rollout', id: rolloutId(1) } });
}

/** What of it lives, as its environment tells. */
function livingOf(heir: Heir): Unrecorded[] {
  return [...heir.fleet.instances.values()].flatMap((seat) => {
    const life = lifeOf(seat.phase);
    if (life === null) return [];
    const { run, generation } = life;
    const identity = `identity of ${run}`;
    const { revision } = life.program;
    const place = { pid: pid(4711 + seat.index), instance: seat.id, ageMs: 0 };
    return [{ run, ...place, identity, revision, generation }];
  });
}

/** The next daemon goes on and is asked about everything. */
function lives(found: readonly Unrecorded[]): Heir {
  const heir = new Heir({ programs: [NEW], found, now: at(700) }).goOn();
  for (const seat of heir.fleet.instances.values())
    JSON.stringify(describeInstance(seat, at(700), undefined));
  JSON.stringify(heir.history.all(heir.fleet, at(700)));
  heir.journal.close();
  return heir;
}

/** Each is taken up, once, and its number is not given out again. */
function expectAll(found: readonly Unrecorded[], heir: Heir, what: string): void {
  const known = [...heir.fleet.instances.values()].flatMap(({ phase }) => lifeOf(phase)?.run ?? []);
  for (const one of found) {
    expect(known, what).toContain(one.run);
    expect(heir.fleet.runs.get(one.run), what).toBe(one.instance);
    expect(heir.fleet.nextRun, what).toBeGreaterThan(one.run);
  }
  expect(new Set(known).size, what).toBe(known.length);
}

const asides = (): string[] => readdirSync(dirname(journalFile())).filter((name) => name.includes('corrupt'));
const warned = ({ warnings }: Heir): string => warnings.join('\n');

const NEWLINE = 10;

describe('a journal that was cut off', { timeout: 120_000 }, () => {
  it('after any byte costs nothing that is alive, and is told of wherever it can be seen', () => {
    const heir = busy();
    heir.journal.close();
    const found = livingOf(heir);
    expect(found).toHaveLength(3);
    const bytes = readFileSync(journalFile());
    let last = '';
    for (let cut = bytes.length - 1; cut >= 0; cut--) {
      writeFileSync(journalFile(), bytes.subarray(0, cut));
      const read = readJournalText(journalFile());
      const isTorn = cut > 0 && bytes[cut - 1] !== NEWLINE;
      const known = JSON.stringify([read?.faults, [...(read?.values ?? [])]]);
      // All that follows is the same wherever a line is torn.
      if (known === last) continue;
      last = known;
      const what = `cut after ${cut} bytes of ${bytes.length}`;
      const next = lives(found);
      expectAll(found, next, what);
      expect(/its last line was cut off; it is kept as journal\.corrupt-/.test(warned(next)), what).toBe(
        isTorn,
      );
    }
    expect(asides()).toHaveLength(KEPT_ASIDE);
  });
});

/** Of each record, the same with one thing in it that is not what it was. */
function* spoilt(value: unknown): Iterable<unknown> {
  for (const other of [null, -1, 1e308, 'x', [], { kind: 'x' }]) yield other;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    const { [key]: _, ...rest }: Record<string, unknown> = { ...value };
    yield Array.isArray(value) ? value.filter((one) => one !== part) : rest;
    for (const other of spoilt(part)) {
      yield Array.isArray(value)
        ? value.map((one) => (one === part ? other : one))
        : { ...value, [key]: other };
    }
  }
}

describe('a journal in which anything is something else', { timeout: 240_000 }, () => {
  it('costs nothing that is alive, and stops nobody', () => {
    const heir = busy();
    heir.journal.close();
    const found = livingOf(heir);
    const lines = readFileSync(journalFile(), 'utf8').trimEnd().split('\n');
    const last = new Map(lines.map((line) => [line.split('\t')[0] ?? '', line.split('\t')[1] ?? '']));
    const whole = [...last].map(([key, json]) => `${key}\t${json}`);
    let tried = 0;
    // One plan is like another.
    const different = [...last].filter(([key]) => !key.startsWith('"plan/') || key === '"plan/worker/two"');
    for (const [key, json] of different) {
      const others = whole.filter((line) => !line.startsWith(`${key}\t`));
      for (const value of spoilt(JSON.parse(json))) {
        tried++;
        const text = JSON.stringify(value);
        writeFileSync(journalFile(), `${[...others, `${key}\t${text}`].join('\n')}\n`);
        try {
          expectAll(found, lives(found), 'spoilt');
        } catch (error) {
          throw new Error(`${key} is ${text}`, { cause: error });
        }
      }
    }
    expect(tried).toBeGreaterThan(500);
  });
});

describe('a journal of a later version', () => {
  const later = (): { found: Unrecorded[]; before: Buffer } => {
    const heir = busy();
    heir.journal.close();
    const text = readFileSync(journalFile(), 'utf8').replace('"format"\t1', '"format"\t2');
    writeFileSync(journalFile(), `${text}"moods/worker:0"\t{"mood":"fine"}\n`);
    return { found: livingOf(heir), before: readFileSync(journalFile()) };
  };

  it('is kept aside whole; numbers and wishes hold, and what runs is found by its mark', () => {
    const { found, before } = later();
    const next = lives(found);
    expectAll(found, next, 'later');
    expect(next.seat(3).wish).toEqual({ want: 'down', because: 'operator' });
    expect(warned(next)).toMatch(
      /cannot be read as a whole: it is of a later version \(format 2\); it is kept as journal\.corrupt-/,
    );
    expect(warned(next)).toMatch(
      /worker:0 \(pid 4711\), .* were found at work by the mark in their environment/,
    );
    const [kept = ''] = asides();
    expect(readFileSync(`${dirname(journalFile())}/${kept}`)).toEqual(before);
  });

  it('of a rollout alone keeps that aside, and takes up the rest as it was', () => {
    const heir = busy();
    heir.journal.close();
    const before = readFileSync(journalFile(), 'utf8').replaceAll('"format":1', '"format":2');
    writeFileSync(journalFile(), before);
    const found = livingOf(heir);
    const next = lives(found);
    expectAll(found, next, 'later');
    expect(warned(next)).toMatch(
      /1 records cannot be made sense of: rolling\/1; it is kept as journal\.corrupt-/,
    );
    expect(warned(next)).not.toMatch(/by the mark/);
    expect(readFileSync(`${dirname(journalFile())}/${asides()[0]}`, 'utf8')).toBe(before);
  });

  it('that knows more of a record than we do is read as far as we do', () => {
    const heir = busy();
    heir.journal.close();
    const text = readFileSync(journalFile(), 'utf8').replaceAll(
      '"failures":',
      '"mood":{"is":"fine"},"failures":',
    );
    writeFileSync(journalFile(), text);
    const next = lives(livingOf(heir));
    expect(next.warnings).toEqual([]);
    expect(next.seat(1).phase.kind).toBe('draining');
  });
});

describe('in the place of the journal', () => {
  const FOUND: Unrecorded[] = [
    {
      run: run(7) as Run,
      pid: pid(4711),
      instance: 'worker:0',
      identity: 'it',
      ageMs: 0,
      revision: 'two',
      generation: 0,
    },
  ];
  const settle = (): string => {
    const next = lives(FOUND);
    expectAll(FOUND, next, 'in its place');
    return warned(next);
  };

  it('garbage is told of once: what was found at work is written down for the daemon after the next', () => {
    writeFileSync(journalFile(), 'garbage');
    expect(settle()).toMatch(/worker:0 \(pid 4711\) was found at work/);
    const second = lives(FOUND);
    expectAll(FOUND, second, 'the second time');
    expect(warned(second)).toBe('');
  });

  it('garbage is kept aside', () => {
    writeFileSync(journalFile(), Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)));
    expect(settle()).toMatch(/of its lines cannot be read.*kept as journal\.corrupt-/);
  });

  it('a folder is kept aside', () => {
    mkdirSync(journalFile());
    expect(settle()).toMatch(/it is not a file; it is kept as journal\.corrupt-/);
    expect(asides()).toHaveLength(1);
  });

  it('an empty file is an empty journal', () => {
    writeFileSync(journalFile(), '');
    expect(settle()).not.toMatch(/as a whole/);
    expect(asides()).toEqual([]);
  });

  it('a gigabyte of nothing takes neither memory nor much time', () => {
    const before = process.memoryUsage.rss();
    const descriptor = openSync(journalFile(), 'w');
    ftruncateSync(descriptor, 1024 ** 3);
    closeSync(descriptor);
    expect(settle()).toMatch(/has more than \d+ bytes.*kept as journal\.corrupt-/);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
  });
});

describe('of which nothing is written down,', () => {
  const foundAt = (index: number): Unrecorded => ({
    run: run(7 + index) as Run,
    pid: pid(4711 + index),
    instance: `worker:${index}`,
    identity: 'it',
    ageMs: 0,
    revision: null,
    generation: 0,
  });

  it('more instances than the config has are not too many: somebody may have scaled it', () => {
    const found = [foundAt(0), foundAt(5)];
    const next = lives(found);
    expectAll(found, next, 'scaled');
    expect(next.seat(5)).toMatchObject({ leaving: false, wish: { want: 'up' } });
    expect(next.ids()).toHaveLength(6);
  });

  it('those beyond what an operator has wished for go', () => {
    new Heir({ programs: [NEW] }).take({ type: 'scale', program: NEW.name, instances: 5 }).journal.close();
    const found = [foundAt(0), foundAt(5)];
    const next = lives(found);
    expectAll(found, next, 'scaled');
    expect(next.seat(5)).toMatchObject({ leaving: true, wish: { want: 'down' } });
  });

  it('an instance of a program that nobody knows is left alone, and told of', () => {
    const next = lives([{ ...foundAt(0), instance: 'stranger:0' }]);
    expect(next.fleet.runs.size).toBe(0);
    expect(warned(next)).toMatch(/stranger:0 \(pid 4711\) .* no such program.* end it with "kill 4711"/);
  });
});
