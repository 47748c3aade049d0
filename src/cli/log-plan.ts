/** Where the instances of a config write to, as it says itself, and what there is: while no daemon can be asked. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fits } from '../base/glob.ts';
import { instanceId } from '../base/ids.ts';
import type { NoDaemonError } from '../client/errors.ts';
import type { LoadedConfig } from '../config/load.ts';
import { logPathIn } from '../logs/log-path.ts';
import { EXIT } from '../protocol/errors.ts';
import type { LogsReply } from '../protocol/replies.ts';
import type { Context } from './context.ts';
import { configFile } from './place.ts';
import { planIn } from './plan.ts';
import { Refusal } from './refusal.ts';

type Files = LogsReply['files'];

/** Throws a refusal where nothing has been written, or nothing of that name is in the config. */
export function plannedFiles(context: Context, selectors: readonly string[], absent: NoDaemonError): Files {
  const { logDir, programs, groups } = planIn(configFile(context.options, context.io), context.io);
  const all = programs.flatMap((program) => filesOf(program, logDir));
  const chosen = new Set<Files[number]>();
  for (const selector of selectors) {
    const members = selector.startsWith('@') ? (groups[selector.slice(1)] ?? []) : null;
    const means = all.filter(({ instance }) => {
      const program = instance.slice(0, instance.lastIndexOf(':'));
      return members === null
        ? fits(selector, instance) || fits(selector, program)
        : members.some((name) => name === program);
    });
    if (means.length === 0) throw new Refusal(EXIT.usage, `nothing in the config is meant by "${selector}"`);
    for (const one of means) chosen.add(one);
  }
  const files = selectors.length === 0 ? all : all.filter((one) => chosen.has(one));
  if (files.some(({ path }) => path !== null && (existsSync(path) || existsSync(`${path}.1`)))) return files;
  const none = files.length > 0 && files.every(({ path }) => path === null);
  if (none) return files;
  throw new Refusal(
    EXIT.noDaemon,
    absent.message,
    `what was written is in ${logDir}; "tsup-visor start" starts a daemon`,
  );
}

/** The daemon's own log. */
export function plannedOwn(context: Context): NonNullable<LogsReply['daemon']> {
  const { logDir, ownLog } = planIn(configFile(context.options, context.io), context.io);
  return { path: join(logDir, 'daemon.log'), format: ownLog.format === 'json' ? 'json' : 'timestamps' };
}

/** Those that the config has, and those with higher numbers that have left something: they were extra, or scaled. */
function filesOf(program: LoadedConfig['plan']['programs'][number], logDir: string): Files[number][] {
  const { stdout, stderr, timestamps, format: form } = program.logs;
  const logPath = logPathIn(logDir);
  const format = form === 'raw' && timestamps ? 'timestamps' : form;
  const pathAt = (index: number) => logPath(instanceId(program.name, index), stdout, 'out');
  const indices = new Set(Array.from({ length: program.instances }, (_, index) => index));
  for (const index of leftIn(pathAt)) indices.add(index);
  return [...indices]
    .sort((a, b) => a - b)
    .flatMap<Files[number]>((index) => {
      const instance = instanceId(program.name, index);
      const out = pathAt(index);
      if (stderr === 'merge') return [{ instance, stream: 'merged', path: out, format }];
      return [
        { instance, stream: 'stdout', path: out, format },
        { instance, stream: 'stderr', path: logPath(instance, stderr, 'err'), format },
      ];
    });
}

/** The numbers of the files that are there, of one program. */
function leftIn(pathAt: (index: number) => string | null): number[] {
  const sample = pathAt(MARK);
  if (sample === null) return [];
  const [before, after] = basename(sample).split(String(MARK));
  if (before === undefined || after === undefined) return [];
  return namesIn(dirname(sample)).flatMap((name) => {
    const number = name.slice(before.length, name.length - after.length);
    const isOne = name === `${before}${number}${after}` && /^(0|[1-9]\d{0,5})$/.test(number);
    return isOne ? [Number(number)] : [];
  });
}

/** A number that is in no name. */
const MARK = 987_654_321;

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
