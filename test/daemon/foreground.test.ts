import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatusReply } from '../../src/protocol/status.ts';
import { useLeakCheck } from '../rig/leaks.ts';
import { within } from '../rig/within.ts';
import { PROGRAMS, World } from './world.ts';

const leaks = useLeakCheck();
const COMMAND = fileURLToPath(new URL('../../bin/tsup-visor.js', import.meta.url));

let world: World;
let terminal: Terminal | undefined;

beforeEach(() => {
  world = new World(leaks);
});
afterEach(async () => {
  await terminal?.close();
  terminal = undefined;
  await world.close();
});

/** The built command in the foreground, as in a terminal or a container. */
class Terminal {
  readonly child: ChildProcess;
  text = '';
  readonly ended: Promise<number | null>;
  readonly #looks = new Set<() => void>();

  constructor(...selectors: string[]) {
    const words = [COMMAND, '-c', world.configFile, 'start', '--foreground', ...selectors];
    // Both streams in one pipe, as in a terminal: what comes first is read first.
    this.child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', process.execPath, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
    for (const stream of [this.child.stdout, this.child.stderr])
      stream
        ?.on('error', () => {})
        .on('data', (part) => {
          this.text += part;
          for (const look of this.#looks) look();
        });
  }

  says(words: string, times = 1): Promise<void> {
    const said = new Promise<void>((resolve) => {
      const look = (): void => void (this.text.split(words).length > times && resolve());
      this.#looks.add(look);
      look();
    });
    const ended = this.ended.then((code) => {
      if (this.text.split(words).length <= times) throw new Error(`it has ended with ${code}:\n${this.text}`);
    });
    return within(`"${words}"`, Promise.race([said, ended]));
  }

  press(signal: NodeJS.Signals = 'SIGINT'): void {
    this.child.kill(signal);
  }

  end = (): Promise<number | null> => within(`the end of\n${this.text}`, this.ended);

  async close(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.ended;
  }
}

const begin = (...selectors: string[]): Terminal => {
  terminal = new Terminal(...selectors);
  return terminal;
};

const state = async (): Promise<string | undefined> =>
  (await world.ask<StatusReply>('GET', '/v1/status?usage=0')).instances[0]?.state;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d /;

const stubborn = { ...PROGRAMS.ignoresTerm, stop: { timeout: '20s' } };

describe('in the foreground', () => {
  it('the first Ctrl-C drains, the second stops now, the third kills', async () => {
    world.configure({ worker: stubborn });
    const own = begin();
    await own.says('worker:0 is ready');
    expect(await state()).toBe('running');
    own.press();
    await own.says('draining; press Ctrl-C again');
    expect(await state()).toBe('draining');
    await pauseBetweenKeys();
    own.press();
    await own.says('stopping now; press Ctrl-C again');
    expect(await state()).toBe('stopping');
    await pauseBetweenKeys();
    own.press();
    await own.says('killing');
    expect(await own.end()).toBe(0);
    expect(leaks.processes()).toEqual([]);
    expect(existsSync(world.socket)).toBe(false);
  });

  it('one Ctrl-C that arrives twice, from the terminal and from npm say, is one', async () => {
    world.configure({ worker: stubborn });
    const own = begin();
    await own.says('worker:0 is ready');
    own.press();
    await own.says('draining; press Ctrl-C again');
    own.press();
    await pauseBetweenKeys();
    expect(await state()).toBe('draining');
    expect(own.text).not.toContain('stopping now');
    own.press();
    await own.says('stopping now');
    await pauseBetweenKeys();
    own.press();
    await own.end();
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('%s drains, however often it comes', async (signal) => {
    world.configure({ worker: { ...PROGRAMS.steady, drain: { timeout: '20s' } } });
    const own = begin();
    await own.says('worker:0 is ready');
    own.press(signal);
    own.press(signal);
    expect(await own.end()).toBe(0);
    expect(own.text).toContain('nothing is left of worker:0, it has drained');
    expect(leaks.processes()).toEqual([]);
  });

  it('a selector that matches nothing is refused, and no daemon is left', async () => {
    world.configure({ worker: PROGRAMS.steady });
    const own = begin('nobody');
    expect(await own.end()).toBe(2);
    expect(own.text).toContain('no instance matches "nobody"');
    expect(existsSync(world.socket)).toBe(false);
  });

  it('opens its logs anew at SIGUSR2, and lives on', async () => {
    world.configure({ worker: PROGRAMS.steady });
    terminal = new Terminal();
    await terminal.says('worker:0 is ready');
    terminal.press('SIGUSR2');
    await terminal.says('log files are opened anew at their paths');
    terminal.press('SIGTERM');
    expect(await terminal.end()).toBe(0);
  });

  it('a mistake in the config ends it with 5, and a second daemon with 6', async () => {
    world.write('programs: {');
    expect(await begin().end()).toBe(5);
    await world.begin({ worker: PROGRAMS.steady });
    const own = begin();
    expect(await own.end()).toBe(6);
    expect(own.text).toContain('another daemon');
  });

  it('an essential program that is given up ends it with 1, and with the reason', async () => {
    world.configure({
      db: { ...PROGRAMS.crashesAtOnce, essential: true, backoff: { initial: '10ms', give_up_after: 2 } },
      worker: PROGRAMS.steady,
    });
    const own = begin();
    expect(await own.end()).toBe(1);
    expect(own.text).toMatch(/^tsup-visor: .*db:0/m);
    expect(leaks.processes()).toEqual([]);
  });

  it('the last words of a program that dies are shown, before its end is told, each line with a time', async () => {
    const speaks = 'echo READY=1 >&3; echo first; sleep 0.3; echo last; printf "without an end"; exit 3';
    const command = ['/bin/sh', '-c', speaks];
    world.configure({
      worker: { ...PROGRAMS.steady, command, essential: true, restart: 'never', logs: {} },
    });
    const own = begin();
    expect(await own.end()).toBe(1);
    const lines = own.text.split('\n').filter((line) => / worker:0 (\||exited)/.test(line));
    expect(lines.map((line) => line.replace(TIME, ''))).toEqual([
      'worker:0 | first',
      'worker:0 | last',
      'worker:0 | without an end',
      expect.stringMatching(/^worker:0 exited with code 3 after /),
    ]);
    for (const line of lines) expect(line).toMatch(TIME);
  });

  it('what was rotated between two looks is shown, each line once and in order', async () => {
    const counts =
      'echo READY=1 >&3; i=0; while [ $i -lt 5000 ]; do echo "line $i"; i=$((i+1)); done; exit 3';
    const logs = { max_size: '4KB', keep: 1000 };
    const command = ['/bin/sh', '-c', counts];
    world.configure({ worker: { ...PROGRAMS.steady, command, essential: true, restart: 'never', logs } });
    const own = begin();
    expect(await own.end()).toBe(1);
    const lines = [...own.text.matchAll(/ worker:0 \| line (\d+)$/gm)].map(([, number]) => Number(number));
    expect(lines).toEqual(Array.from({ length: 5000 }, (_, number) => number));
  });

  it('what is not read for a while comes whole and in order, and no event within a line', async () => {
    const counts =
      'echo READY=1 >&3; i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done; exit 3';
    const command = ['/bin/sh', '-c', counts];
    world.configure({ worker: { ...PROGRAMS.steady, command, restart: 'always', logs: {} } });
    const own = begin();
    await own.says('worker:0 is ready');
    own.child.stdout?.pause();
    const log = join(world.folder, 'logs/daemon.log');
    await expect
      .poll(() => readFileSync(log, 'utf8').split('exited with code 3').length, { timeout: 10_000 })
      .toBeGreaterThan(3);
    own.press('SIGTERM');
    own.child.stdout?.resume();
    expect(await own.end()).toBe(0);
    for (const line of own.text.trimEnd().split('\n')) expect(line).toMatch(/^\d{4}-[^|]*( \| line \d+)?$/);
    const numbers = [...own.text.matchAll(/ worker:0 \| line (\d+)$/gm)].map(([, number]) => Number(number));
    const breaks = numbers.filter(
      (number, at) => at > 0 && number !== 0 && number !== (numbers[at - 1] ?? 0) + 1,
    );
    expect(breaks).toEqual([]);
    expect(numbers.length).toBeGreaterThanOrEqual(60_000);
  });

  it('what a program says that is added later is shown, too', async () => {
    const command = ['/bin/sh', '-c', 'echo "I am {{instance}}"; echo READY=1 >&3; exec sleep 1000'];
    world.configure({ worker: { ...PROGRAMS.steady, command, logs: {} } });
    const own = begin();
    await own.says('worker:0 | I am worker:0');
    await world.ask('POST', '/v1/scale', { counts: { worker: 2 } });
    await own.says('worker:1 | I am worker:1');
    await world.ask('POST', '/v1/scale', { counts: { worker: 1 } });
    await world.ask('POST', '/v1/scale', { counts: { worker: 2 } });
    await own.says('worker:1 | I am worker:1', 2);
    own.press('SIGTERM');
    expect(await own.end()).toBe(0);
    expect(own.text.split('worker:1 | ').length).toBe(3);
  });

  it('goes on when nobody reads any more what it says, and spends no time on that', async () => {
    world.configure({ worker: PROGRAMS.steady });
    const own = begin();
    await own.says('worker:0 is ready');
    own.child.stdout?.destroy();
    own.child.stderr?.destroy();
    await world.ask('POST', '/v1/restart', { selectors: ['worker'] });
    await world.ask('POST', '/v1/restart', { selectors: ['worker'] });
    expect(await state()).toBe('running');
    own.press('SIGTERM');
    expect(await own.end()).toBe(0);
    expect(leaks.processes()).toEqual([]);
  });
});

/** As long as somebody needs to press a key again: what comes sooner is taken for the same one. */
const pauseBetweenKeys = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));
