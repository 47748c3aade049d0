/** The keys that the README shows are what the config knows, with the defaults that it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { PROGRAM } from '../../src/config/program-keys.ts';
import { keysIn } from '../../src/config/walk.ts';
import { aProgram, programOf, saidOf } from './config.ts';

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const blocks = [...README.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
/** A whole config, or keys of a program. */
const asConfig = (text: string): string => (/^programs:/m.test(text) ? text : aProgram(text.trimEnd()));

describe('the README', () => {
  test.each(blocks)('shows a config that can be read: %j', (text) => {
    expect(saidOf(asConfig(text))).toEqual([]);
  });

  test('shows every key of a rolling restart with its default', () => {
    const [shown = '', ...others] = blocks.filter((text) => /^ +after_kill_hold:/m.test(text));
    expect(others).toEqual([]);
    const { rollout, drain } = programOf('x-a: 1');
    expect(programOf(shown.trimEnd())).toMatchObject({ rollout, drain });
    const keys = [...keysIn(PROGRAM)].filter(({ path }) => path[0] === 'rollout' && path.length === 2);
    expect(Object.keys(parse(shown).rollout)).toEqual(keys.map(({ path }) => path[1]));
  });
});
