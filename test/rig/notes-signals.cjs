// Loaded before a program: every signal that can be caught is noted in the file NOTE_SIGNALS_IN, and changes nothing.
// Its own children's ends are no news, and what the processor raises cannot be caught to any purpose.
const { appendFileSync } = require('node:fs');
const { constants } = require('node:os');

const UNHEARD = new Set(['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL']);
const file = process.env.NOTE_SIGNALS_IN;
for (const name of file === undefined ? [] : Object.keys(constants.signals)) {
  if (UNHEARD.has(name)) continue;
  process.on(name, () => appendFileSync(file, `${process.env.TSUP_VISOR_INSTANCE} ${process.pid} ${name}\n`));
}
