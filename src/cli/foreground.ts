/** `start --foreground`: the daemon in this very process, and what the instances write, each line with its name. */
import { fstatSync, statSync } from 'node:fs';
import type { ExitCode } from '../protocol/errors.ts';
import type { Context } from './context.ts';
import { ForegroundOutput } from './foreground-output.ts';
import { configFile } from './place.ts';
import { stamp } from './render/words.ts';

export async function foreground(context: Context, selectors: readonly string[]): Promise<ExitCode> {
  context.io.outliveReaders();
  const { socket, given } = await context.place();
  const paint = await context.paint();
  // The only way from here into the daemon's room.
  const { runForeground } = await import('../daemon/foreground.ts');
  let output: ForegroundOutput | undefined;
  try {
    return await runForeground({
      configFile: configFile(context.options, context.io),
      socket: given ? socket : undefined,
      selectors,
      say: (text) => context.say(text),
      log: (text) => context.say(`${stamp(new Date().toISOString())} ${text}`),
      started: (daemon) => {
        if (leadsNowhere()) return;
        const shown = new ForegroundOutput(context, paint);
        output = shown;
        shown.know(daemon.logFiles());
        daemon.follow((event) => {
          // Told before those that were added are begun; an extra run of a schedule is told with its beginning.
          const isNew = event.type === 'phase' && !shown.instances.has(event.instance);
          if (isNew || event.type === 'scaled') shown.know(daemon.logFiles());
          if (event.type === 'exited') shown.lastWordsOf(event.instance);
        });
      },
    });
  } finally {
    output?.close();
  }
}

/** Nobody reads what the instances write, as in the unit that `export systemd` writes: then nobody looks for it, either. */
function leadsNowhere(): boolean {
  try {
    const stdout = fstatSync(1);
    return stdout.isCharacterDevice() && stdout.rdev === statSync('/dev/null').rdev;
  } catch {
    return false;
  }
}
