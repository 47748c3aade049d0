/** The daemon as a program: what `tsup-visor start` runs in the background. Its text is in the file beside this one. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CODE, compile } from './compiled.ts';
import { hearSummons } from './summons.ts';

const whenSummoned = hearSummons();
const program = join(import.meta.dirname, 'daemon/main.cjs');
const file = process.env[CODE] ?? null;
delete process.env[CODE]; // it is for nobody but us
const { script, keep } = compile(program, file);
// Typed by its source: both are built together.
const module = { exports: {} as typeof import('./main.ts') };
script.runInThisContext()(module.exports, createRequire(program), module, program, dirname(program));
module.exports.main(keep, whenSummoned);
