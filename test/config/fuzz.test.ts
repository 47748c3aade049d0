import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { renderMistake } from '../../src/config/mistake.ts';
import { showConfig } from '../../src/config/show.ts';
import { socketIn, socketOf } from '../../src/config/where.ts';
import { FILE, WORLD } from './config.ts';
import { UNCOMMENTED } from './example.ts';

const EXAMPLE = UNCOMMENTED.replace(/^ *#.*\n/gm, '');
const PIECES = [
  ...' \t\n:#&*!|>%@`"\'{}[],-?~$\\0\u0000é\uFEFF',
  '<<: ',
  '{{index}}',
  '{{x}}',
  '$' + '{A:-b}',
  '$' + '{',
  '$$',
  'none',
  '- ',
  '\n  ',
  'x-a: &a ',
  '*a',
  'null',
  '5s',
  '-1',
  '\r\n',
  '---\n',
  'supervisor:\n',
  'name: b\n',
  '__proto__: ',
  'constructor: ',
];
const GENTLE = [...'a1_. /'];
const SEED = Number(process.env.FUZZ_SEED ?? 20_260);
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 300);

/** A small generator with a seed (mulberry32), so that a failure can be seen again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutated(text: string, random: (below: number) => number): string {
  let result = text;
  // Half of them get one harmless looking letter, so that enough of them still load.
  if (random(2) === 0) {
    const at = random(result.length);
    return result.slice(0, at) + (GENTLE[random(GENTLE.length)] ?? '') + result.slice(at + random(2));
  }
  for (let times = 1 + random(4); times > 0; times--) {
    const at = random(result.length + 1);
    const until = random(2) === 0 ? at : Math.min(result.length, at + random(12));
    const piece =
      random(4) === 0
        ? result.slice(random(result.length), random(result.length))
        : PIECES[random(PIECES.length)];
    result = result.slice(0, at) + (piece ?? '').slice(0, 200) + result.slice(until);
  }
  return result;
}

test(`a config that was damaged by chance is refused or loaded, never thrown (FUZZ_SEED=${SEED})`, () => {
  expect(parseConfig(EXAMPLE, FILE, WORLD)).toMatchObject({ ok: true });
  let loadedTexts = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const text = mutated(EXAMPLE, randomFrom(SEED + round));
    const hint = `FUZZ_SEED=${SEED + round} FUZZ_ROUNDS=1`;
    const loaded = parseConfig(text, FILE, WORLD);
    const socket = socketOf(FILE, text, WORLD);
    if (!loaded.ok) {
      expect(loaded.error.length, hint).toBeGreaterThan(0);
      for (const mistake of loaded.error)
        expect(renderMistake(mistake, text), hint).toContain(mistake.message);
      continue;
    }
    loadedTexts += 1;
    const { plan } = loaded.value;
    const again = parseConfig(showConfig(plan), FILE, WORLD);
    expect(again, hint).toMatchObject({ ok: true, value: { plan } });
    if (socket !== null) expect(socket, hint).toBe(socketIn(plan.runDir));
  }
  // Both ways were gone, or this has shown nothing.
  if (ROUNDS >= 100) expect(loadedTexts / ROUNDS).toBeGreaterThan(0.05);
  if (ROUNDS >= 100) expect(loadedTexts / ROUNDS).toBeLessThan(0.95);
}, 60_000);
