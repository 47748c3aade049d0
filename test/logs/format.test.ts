/** Whatever comes, in whatever portions: each line is dressed once, and undressed again it is what was written. */
import { describe, expect, test } from 'vitest';
import { type Job, LineFormat, type LineStyle, type Mood, PIECE_BYTES } from '../../src/logs/format.ts';
import { input } from '../../src/logs/workbench.ts';
import { dice } from './rig.ts';
import { undressed } from './undress.ts';

const TIME = Date.UTC(2026, 10, 23, 20, 30, 0, 123);
const STAMP = '2026-11-23T20:30:00.123Z';
const PLAIN: LineStyle = {
  format: 'raw',
  timestamps: true,
  lead: '',
  instance: 'worker:0',
  run: 17,
  stream: 'stdout',
};
const JSON_LINES: LineStyle = { ...PLAIN, format: 'json', timestamps: false };

/** As it comes, in these portions; what has no end is held, and ends with the last of them. */
function dressAll(style: LineStyle, portions: readonly Buffer[], room = Number.MAX_SAFE_INTEGER): Buffer {
  const format = new LineFormat(style);
  const written: Buffer[] = [];
  let held: Buffer = Buffer.alloc(0);
  let mood: Mood = 'fresh';
  for (const [index, portion] of portions.entries()) {
    held = Buffer.concat([held, portion]);
    let at = 0;
    for (;;) {
      const isEnding = index === portions.length - 1;
      const dressed = format.dress(held, at, { timeMs: TIME, mood, room, isEnding });
      if (dressed.to === at) break;
      written.push(Buffer.from(dressed.output));
      ({ to: at, mood } = dressed);
    }
    held = held.subarray(at);
  }
  return Buffer.concat(written);
}

const dressed = (style: LineStyle, bytes: Buffer, job: Job): Buffer =>
  Buffer.from(new LineFormat(style).dress(bytes, 0, job).output);

const textOf = (style: LineStyle, ...portions: string[]): string =>
  dressAll(
    style,
    portions.map((portion) => Buffer.from(portion)),
  ).toString();

describe('a line', () => {
  test('has its time in front, to the millisecond', () => {
    expect(textOf(PLAIN, 'one\n', '\n', 'last')).toBe(`${STAMP} one\n${STAMP} \n${STAMP} last\n`);
  });

  test('has a name in front of that, where it goes where others go', () => {
    expect(textOf({ ...PLAIN, lead: 'worker:0 | ' }, 'one\n')).toBe(`worker:0 | ${STAMP} one\n`);
    expect(textOf({ ...PLAIN, timestamps: false, lead: 'worker:0 | ' }, 'one\n')).toBe('worker:0 | one\n');
  });

  test('is an object of JSON, with what it is of', () => {
    expect(textOf(JSON_LINES, 'say "hi"\tto C:\\\r\n')).toBe(
      `{"time":"${STAMP}","instance":"worker:0","run":17,"stream":"stdout","message":"say \\"hi\\"\\tto C:\\\\\\r"}\n`,
    );
  });

  test('that comes in portions is one line', () => {
    expect(textOf(PLAIN, 'on', 'e', '\ntw', 'o\n')).toBe(`${STAMP} one\n${STAMP} two\n`);
  });

  test('goes on as it has begun where its beginning is in the file as it was written', () => {
    const format = new LineFormat(PLAIN);
    const job = { timeMs: TIME, mood: 'bare', room: 1000, isEnding: false } as const;
    const { output, mood } = format.dress(Buffer.from('rest\nnext\n'), 0, job);
    expect([output.toString(), mood]).toEqual([`rest\n${STAMP} next\n`, 'fresh']);
  });

  test('that is too long is cut between two characters, and each piece says so', () => {
    const long = `${'x'.repeat(PIECE_BYTES - 1)}ä${'y'.repeat(10)}`;
    expect(textOf(PLAIN, `${long}\n`)).toBe(
      `${STAMP} ${'x'.repeat(PIECE_BYTES - 1)}…\n${STAMP} …ä${'y'.repeat(10)}\n`,
    );
    const pieces = textOf(JSON_LINES, `${long}\n`).trimEnd().split('\n');
    expect(pieces.map((piece) => JSON.parse(piece).partial)).toEqual([true, undefined]);
    expect(pieces.map((piece) => JSON.parse(piece).message).join('')).toBe(long);
  });

  test('of exactly that length is one', () => {
    expect(textOf(PLAIN, `${'x'.repeat(PIECE_BYTES)}\n`)).not.toContain('…');
  });

  test('that is no text at all is cut all the same', () => {
    const bytes = Buffer.alloc(3 * PIECE_BYTES, 0x80);
    expect(undressed(dressAll(PLAIN, [bytes]), 'raw').equals(Buffer.concat([bytes, Buffer.from('\n')]))).toBe(
      true,
    );
  });
});

const PARTS = ['plain text', 'ä€🎉', '\0', '\r', '"\\\b\f\t\x1b\x7f', '\u2028', '…', 'x'.repeat(300), ''].map(
  (part) => Buffer.from(part),
);
const GARBAGE = [
  [0x80],
  [0xc3],
  [0xf0, 0x9f],
  [0xed, 0xa0, 0x80],
  [0xc0, 0x80],
  [0xf5],
  [0xff, 0xe2, 0x82],
].map((bytes) => Buffer.from(bytes));

function randomLines(random: (below: number) => number, count: number): Buffer {
  const lines = Array.from({ length: count }, () => {
    if (random(40) === 0) return Buffer.alloc(random(2 * PIECE_BYTES), 'long ');
    const parts = Array.from({ length: random(6) }, () => pick([...PARTS, ...GARBAGE], random));
    return Buffer.concat(parts);
  });
  return Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
}

const pick = (from: readonly Buffer[], random: (below: number) => number): Buffer =>
  from[random(from.length)] ?? Buffer.alloc(0);

function portionsOf(bytes: Buffer, random: (below: number) => number): Buffer[] {
  const portions: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random([1, 7, 300, 70_000, 500_000][random(5)] ?? 1);
    portions.push(bytes.subarray(at, at + length));
    at += length;
  }
  return portions;
}

describe('any bytes', () => {
  test.each([
    ['with times', PLAIN],
    ['as JSON', JSON_LINES],
  ])('in portions of any size, with room for so much: %s', (_, style) => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    const random = dice(seed);
    for (let i = 0; i < 15; i++) {
      const all = randomLines(random, 60);
      const ends = random(2) === 0;
      const bytes = ends ? all : all.subarray(0, -1);
      const dressed = dressAll(style, portionsOf(bytes, random), [1, 500, 1e9][random(3)]);
      // What JSON cannot hold is what the decoder makes of it.
      const wanted = style.format === 'json' ? Buffer.from(decodedByLine(all)) : all;
      const isEmptyLast = !ends && all.at(-2) === 10;
      const expected = isEmptyLast ? wanted.subarray(0, -1) : wanted;
      expect(undressed(dressed, style.format).equals(expected), `seed ${seed}, ${i}`).toBe(true);
    }
  });

  test.each([
    ['with times', PLAIN],
    ['as JSON', JSON_LINES],
  ])('are dressed the same where they are read to as anywhere else: %s', (_, style) => {
    const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
    const random = dice(seed);
    const job = { timeMs: TIME, mood: 'fresh', room: 1e9, isEnding: true } as const;
    for (let i = 0; i < 15; i++) {
      const bytes = randomLines(random, 40).subarray(0, input.length / 2);
      const at = random(input.length / 2);
      bytes.copy(input, at);
      const there = dressed(style, input.subarray(at, at + bytes.length), job);
      expect(there.equals(dressed(style, bytes, job)), `seed ${seed}, ${i}`).toBe(true);
      expect(input.subarray(at, at + bytes.length).equals(bytes), `seed ${seed}, ${i}: as it was`).toBe(true);
    }
  });

  test('a character that comes in two portions is that character, wherever it is torn', () => {
    const text = Buffer.from('aä€🎉b\n');
    for (let at = 0; at <= text.length; at++) {
      const dressed = dressAll(JSON_LINES, [text.subarray(0, at), text.subarray(at)]);
      expect(JSON.parse(dressed.toString()).message).toBe('aä€🎉b');
    }
  });
});

/** The decoder sees whole lines: what is wrong in one does not reach into the next. */
function decodedByLine(all: Buffer): string {
  const lines: string[] = [];
  for (let from = 0; from < all.length; ) {
    const to = all.indexOf(10, from);
    lines.push(all.toString('utf8', from, to));
    from = to + 1;
  }
  return `${lines.join('\n')}\n`;
}
