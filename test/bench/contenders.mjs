/** tsup-visor and its peers behind one interface: each can supervise `count` instances and be asked for their status. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { endMarked, marked, pause } from './measure.mjs';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'bin/tsup-visor.js');

/**
 * What a contender does, in a folder of its own:
 * prepare(count): write its config; nothing runs yet. launch(): start the daemon; returns at once.
 * status: the command that shows all instances. daemons(): pids of everything but the instances themselves.
 * Everything that it starts bears the mark, so that stop() can end all of it even when it misbehaves.
 */
export class Contender {
  /** `command`: what it supervises, which says in the file of `ticks` that it began. */
  constructor(name, dir, command, ticks) {
    Object.assign(this, { name, dir, command, ticks });
    mkdirSync(dir, { recursive: true });
    this.mark = `TV_BENCH=${dir}`;
    this.env = { ...process.env, TV_BENCH: dir };
  }

  start(command, args) {
    const child = spawn(command, args, { cwd: this.dir, env: this.env, stdio: 'ignore', detached: true });
    child.on('error', () => {}); // shows as instances that never begin
    return child;
  }

  async stop() {
    await this.end().catch(() => {});
    await endMarked(this.mark);
    this.ticks.clear();
  }
}

export class TsupVisor extends Contender {
  constructor(dir, command, ticks, foreground = false) {
    super(foreground ? 'tsup-visor --foreground' : 'tsup-visor', dir, command, ticks);
    this.foreground = foreground;
    /** More lines for the program. */
    this.keys = [];
    this.config = join(dir, 'supervisor.yaml');
    this.status = [process.execPath, [BIN, '-c', this.config, 'status']];
  }

  prepare(count) {
    for (const name of ['run', 'state', 'logs'])
      rmSync(join(this.dir, name), { recursive: true, force: true });
    writeFileSync(
      this.config,
      `supervisor:
  name: bench
  run_dir: ${this.dir}/run
  state_dir: ${this.dir}/state
  log_dir: ${this.dir}/logs
programs:
  worker:
    command: ${JSON.stringify(this.command)}
    instances: ${count}
    backoff: none
${this.keys.map((line) => `    ${line}\n`).join('')}`,
    );
  }

  launch() {
    this.start(process.execPath, [
      BIN,
      '-c',
      this.config,
      'start',
      ...(this.foreground ? ['--foreground'] : []),
    ]);
  }

  async daemons() {
    const { stdout } = await run(process.execPath, [BIN, '-c', this.config, 'status', '--json'], {
      env: this.env,
      maxBuffer: 1e8,
    });
    return [JSON.parse(stdout).daemon.pid];
  }

  end() {
    return run(process.execPath, [BIN, '-c', this.config, 'shutdown', '--now'], {
      env: this.env,
      timeout: 20_000,
    });
  }
}

export class Supervisord extends Contender {
  constructor(dir, command, ticks) {
    super('supervisord', dir, command, ticks);
    this.startSeconds = 0;
    this.config = join(dir, 'supervisord.conf');
    this.status = ['supervisorctl', ['-c', this.config, 'status']];
  }

  static exists = () => has('supervisord');

  prepare(count) {
    const socket = join(this.dir, 'supervisor.sock');
    mkdirSync(join(this.dir, 'logs'), { recursive: true });
    writeFileSync(
      this.config,
      `[supervisord]
nodaemon=true
minfds=8192
logfile=${this.dir}/supervisord.log
pidfile=${this.dir}/supervisord.pid
childlogdir=${this.dir}/logs
[unix_http_server]
file=${socket}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${socket}
[program:worker]
command=${this.command.join(' ')}
process_name=%(process_num)d
numprocs=${count}
startsecs=${this.startSeconds}
startretries=1000
autorestart=true
`,
    );
  }

  launch() {
    this.child = this.start('supervisord', ['-n', '-c', this.config]);
  }

  daemons() {
    return [this.child.pid];
  }

  async end() {
    this.child.kill('SIGTERM');
    await pause(100);
  }
}

export class Pm2 extends Contender {
  constructor(dir, command, ticks, bin) {
    super('pm2', dir, command, ticks);
    this.bin = bin;
    this.env = { ...this.env, PM2_HOME: join(dir, 'home'), PM2_DISCRETE_MODE: 'true' };
    this.config = join(dir, 'ecosystem.json');
    this.status = [process.execPath, [bin, 'ls']];
  }

  /** Installs it into the folder, with the npm client, and says where it is. */
  static install(dir) {
    mkdirSync(dir, { recursive: true });
    const bin = join(dir, 'node_modules/pm2/bin/pm2');
    if (!existsSync(bin)) {
      execFileSync('npm', ['install', 'pm2', '--prefix', dir, '--no-audit', '--no-fund'], {
        stdio: 'ignore',
      });
    }
    return bin;
  }

  prepare(count) {
    rmSync(this.env.PM2_HOME, { recursive: true, force: true });
    const app = {
      name: 'worker',
      script: this.command[0],
      args: this.command.slice(1),
      interpreter: 'none',
      exec_mode: 'fork',
      instances: count,
      max_restarts: 100_000,
      min_uptime: 0,
      restart_delay: 0,
      pmx: false,
    };
    writeFileSync(this.config, JSON.stringify({ apps: [app] }));
  }

  launch() {
    this.start(process.execPath, [this.bin, 'start', this.config]);
  }

  daemons() {
    return [Number(readFileSync(join(this.env.PM2_HOME, 'pm2.pid'), 'utf8'))];
  }

  end() {
    return run(process.execPath, [this.bin, 'kill'], { env: this.env, timeout: 20_000 });
  }
}

export class Runit extends Contender {
  constructor(dir, command, ticks) {
    super('runit', dir, command, ticks);
    this.services = join(dir, 'services');
  }

  static exists = () => has('runsvdir');

  get status() {
    return ['sv', ['status', ...readdirSync(this.services).map((name) => join(this.services, name))]];
  }

  /** With a log service each, which is how runit keeps logs. */
  prepare(count) {
    rmSync(this.services, { recursive: true, force: true });
    for (let n = 0; n < count; n++) {
      const service = join(this.services, `worker-${n}`);
      mkdirSync(join(service, 'log/main'), { recursive: true });
      writeFileSync(join(service, 'run'), `#!/bin/sh\nexec ${this.command.join(' ')}\n`, {
        mode: 0o755,
      });
      writeFileSync(join(service, 'log/run'), '#!/bin/sh\nexec svlogd ./main\n', { mode: 0o755 });
    }
  }

  launch() {
    this.child = this.start('runsvdir', [this.services]);
  }

  daemons() {
    return marked(this.mark).filter((pid) =>
      /^(runsvdir|runsv|svlogd)$/.test(readFileSync(`/proc/${pid}/comm`, 'utf8').trim()),
    );
  }

  async end() {
    this.child.kill('SIGHUP'); // ends every runsv, and each of them its service
    await pause(500);
  }
}

/** Without logs. */
export class Daemontools extends Contender {
  constructor(dir, command, ticks) {
    super('daemontools', dir, command, ticks);
    this.services = join(dir, 'services');
  }

  static exists = () => has('svscan') && has('svstat');

  prepare(count) {
    rmSync(this.services, { recursive: true, force: true });
    for (let n = 0; n < count; n++) {
      const service = join(this.services, `worker-${n}`);
      mkdirSync(service, { recursive: true });
      writeFileSync(join(service, 'run'), `#!/bin/sh\nexec ${this.command.join(' ')}\n`, { mode: 0o755 });
    }
  }

  launch() {
    this.start('svscan', [this.services]);
  }

  async end() {} // what bears the mark is ended: there is no word for all of it
}

export function has(command) {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
