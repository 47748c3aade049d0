/** Who keeps logs: tsup-visor, the peers that supervise as well, and the programs that are put behind a pipe. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Contender, has, Pm2, Supervisord, TsupVisor } from './contenders.mjs';
import { marked } from './measure.mjs';

/** As tsup-visor and supervisord have it by themselves. */
const ROTATED_AT = 50 * 1024 * 1024;
/** More than is written. */
const KEPT = 20;

/** `command`: what each contender runs, and what says that it was begun, for a folder of this name. */
export function keepers(place, pm2) {
  return [
    tsupVisor(place),
    ...(Supervisord.exists() ? [inFolder(new Supervisord(...place('supervisord')), 'logs')] : []),
    ...behindPipes(place),
    ...(pm2 === null ? [] : [inFolder(new Pm2(...place('pm2'), pm2), 'home/logs', 'pm2, no rotation')]),
  ];
}

/** `logs`: keys of that map; none: as it is by itself. */
export function tsupVisor(place, name = 'tsup-visor', logs = {}) {
  const contender = new TsupVisor(...place(name.replaceAll(/\W+/g, '-')));
  contender.keys = [`logs: ${JSON.stringify(logs)}`];
  return inFolder(contender, 'logs', name);
}

function inFolder(contender, folder, name = contender.name) {
  return Object.assign(contender, { name, logs: join(contender.dir, folder) });
}

/** Only those that are there; the others are named on the way. */
function behindPipes(place) {
  const to = {
    svlogd: (folder) => {
      writeFileSync(join(folder, 'config'), `s${ROTATED_AT}\nn${KEPT}\n`);
      return `exec svlogd ${folder}`;
    },
    's6-log': (folder) => `exec s6-log n${KEPT} s${ROTATED_AT} ${folder}`,
    // It knows no larger files.
    multilog: (folder) => `exec multilog n${KEPT} s16777215 ${folder}`,
    cat: (folder) => `exec cat > ${folder}/current`,
  };
  return Object.entries(to).flatMap(([program, command]) => {
    if (has(program)) return [new BehindPipe(...place(program), program, command)];
    console.log(`  ${program} is not installed, and is left out`);
    return [];
  });
}

/** `program | logger`, once for each. */
class BehindPipe extends Contender {
  constructor(dir, command, ticks, program, logger) {
    super(program === 'cat' ? '| cat > file, no rotation' : `| ${program}`, dir, command, ticks);
    Object.assign(this, { program, logger, logs: join(dir, 'logs') });
    // So slow that more of them would be most of the whole.
    this.rounds = ['svlogd', 'multilog'].includes(program) ? 1 : Number.POSITIVE_INFINITY;
  }

  prepare(count) {
    rmSync(this.logs, { recursive: true, force: true });
    this.scripts = Array.from({ length: count }, (_, n) => {
      const folder = join(this.logs, String(n));
      mkdirSync(folder, { recursive: true });
      return `exec ${this.command.join(' ')} | ${this.logger(folder)}`;
    });
  }

  launch() {
    for (const script of this.scripts) this.start('sh', ['-c', script]);
  }

  daemons() {
    return marked(this.mark).filter(
      (pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === this.program,
    );
  }

  async end() {}
}

/** Bytes in all files below a folder that are logs of programs. */
export function bytesIn(folder) {
  let sum = 0;
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sum += bytesIn(path);
    else if (!OTHERS.test(entry.name)) sum += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }
  return sum;
}

/** Locks, states, configs, a daemon's own log. */
const OTHERS = /^(config|lock|state|status|daemon.*|tsup-visor.*|supervisord.*)$/;

function entriesOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // not made yet
  }
}
