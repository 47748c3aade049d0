/** What of an instance may be filled into its command and paths. */
import { expect, test } from 'vitest';
import { fillIn } from '../../src/core/instance/template.ts';
import { Bench } from './rig.ts';

test.each([
  ['--queue {{index}}', '--queue 0'],
  ['{{program}}/{{ instance }}', 'worker/worker:0'],
  ['{{index}}{{index}}', '00'],
  ['no template', 'no template'],
  ['{{other}} {index}', '{{other}} {index}'],
])('%s becomes %s', (text, filled) => {
  expect(fillIn(text, new Bench().instance)).toBe(filled);
});
