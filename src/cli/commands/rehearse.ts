/** `rehearse`: tries a drain on an extra instance, in this very process, and says what it would do to jobs. */
import { nearest } from '../../config/nearest.ts';
import type { Plan, ProgramPlan } from '../../core/plan.ts';
import { EXIT, type ExitCode } from '../../protocol/errors.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { Context } from '../context.ts';
import { configFile } from '../place.ts';
import { planIn } from '../plan.ts';
import { Refusal } from '../refusal.ts';
import { findingLines } from '../render/findings.ts';

export interface RehearseOptions {
  /** Milliseconds; null for `none`. */
  readonly after?: number | null;
  readonly jobs?: number;
  readonly once?: boolean;
  /** Milliseconds; null for `none`. */
  readonly timeout?: number | null;
}

const AFTER_MS = 10_000;

export async function rehearse(
  context: Context,
  name: string,
  { after = AFTER_MS, jobs, once, timeout }: RehearseOptions,
): Promise<ExitCode> {
  const { io } = context;
  const plan = planIn(configFile(context.options, io), io);
  const program = programIn(plan, name);
  // An instance lives in this process: whoever has stopped reading does not cut it off.
  io.outliveReaders();
  const { Interrupts } = await import('../../rehearsal/interrupts.ts');
  const interrupts = new Interrupts();
  const deafen = obey(context, () => interrupts.take());
  try {
    const play = await import('../../rehearsal/rehearse.ts');
    const outcome = await play.rehearse({
      plan,
      program,
      afterMs: after ?? Number.POSITIVE_INFINITY,
      jobs: jobs ?? null,
      drainLimitMs: timeout ?? null,
      once: once === true,
      interrupts,
      say: (text) => context.say(text),
    });
    if (!outcome.ok) throw new Refusal(EXIT.failed, `cannot rehearse ${name}: ${outcome.error}`);
    if (interrupts.count > 0)
      throw new Refusal(EXIT.interrupted, 'the rehearsal was broken off, and its instance has ended');
    const { value } = outcome;
    if (context.json) context.printJson({ version: PROTOCOL_VERSION, ...value });
    else
      context.print(
        ...findingLines(value, io.stdout.isTTY ? io.stdout.columns : undefined, await context.paint()),
      );
    return value.ok ? EXIT.done : EXIT.failed;
  } finally {
    deafen();
  }
}

function programIn({ programs }: Plan, name: string): ProgramPlan {
  const found = programs.find((program) => program.name === name);
  if (found !== undefined) return found;
  const names = programs.map((program) => program.name);
  const [before = ''] = name.split(':');
  if (names.some((each) => each === before)) {
    throw new Refusal(
      EXIT.usage,
      `${name} is an instance; rehearse takes a program`,
      `try "tsup-visor rehearse ${before}"`,
    );
  }
  const likely = nearest(name, names);
  const hint = likely === undefined ? `the programs are: ${names.join(', ')}` : `did you mean ${likely}?`;
  throw new Refusal(EXIT.usage, `the config has no program "${name}"`, hint);
}

/** Whoever ends this command ends its instance first; returns what ends the hearing. */
function obey(context: Context, take: () => void): () => void {
  const heard = (): void => {
    context.say('ending the instance; once more kills it');
    take();
  };
  const quiet = context.io.onInterrupt(heard);
  process.on('SIGTERM', heard);
  process.on('SIGHUP', heard);
  return () => {
    quiet();
    process.off('SIGTERM', heard);
    process.off('SIGHUP', heard);
  };
}
