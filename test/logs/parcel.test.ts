/** What another thread is given is its own until it is done, and is used again afterwards. */
import { expect, test } from 'vitest';
import { parcel } from '../../src/logs/parcel.ts';
import { output } from '../../src/logs/workbench.ts';

const LINE = Buffer.from('a line\n');

test('what is on its way stays as it is, whatever becomes of what it was made of', () => {
  const bytes = Buffer.from(LINE);
  const [one, other] = [parcel(bytes), parcel(bytes)];
  bytes.fill('x');
  other.bytes.fill('y');
  expect(one.bytes.equals(LINE)).toBe(true);
  one.release();
  other.release();
});

test('the next ones are where those were that have arrived: no memory is asked for again', () => {
  const first = parcel(LINE);
  const place = first.bytes.buffer;
  first.release();
  for (const length of [1, 1000, output.length]) {
    const next = parcel(Buffer.alloc(length, 'z'));
    expect(next.bytes.buffer === place).toBe(true);
    expect(next.bytes.equals(Buffer.alloc(length, 'z'))).toBe(true);
    next.release();
  }
});

test('of many that were under way at a time only a few are kept', () => {
  const many = Array.from({ length: 10 }, () => parcel(LINE));
  const places = new Set(many.map(({ bytes }) => bytes.buffer));
  expect(places.size).toBe(10);
  for (const { release } of many) release();
  const again = Array.from({ length: 10 }, () => parcel(LINE));
  expect(again.filter(({ bytes }) => places.has(bytes.buffer))).toHaveLength(2);
  for (const { release } of again) release();
});

test('one that is longer than any other has memory of its own, and that is not kept', () => {
  const long = Buffer.alloc(output.length + 1, 'l');
  const { bytes, release } = parcel(long);
  expect(bytes.equals(long)).toBe(true);
  release();
  const next = parcel(LINE);
  expect(next.bytes.buffer === bytes.buffer).toBe(false);
  next.release();
});
