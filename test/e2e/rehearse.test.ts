/** `rehearse` as a user runs it: real workers that do one thing wrong each, and what it says of them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { EXIT } from '../../src/protocol/errors.ts';
import type { Rehearsal } from '../../src/rehearsal/rehearse.ts';
import { ROOT } from './build.ts';
import { until } from './until.ts';
import { createWorld, type Program, type World } from './world.ts';

const WORKER = join(ROOT, 'test/fixtures/rehearsed.mjs');

const worker = (behaviour: string, more: Program = {}): Program => ({
  // Long jobs for those whose children need a while to set up what they do about signals.
  command: [process.execPath, WORKER, behaviour, ...(/^(?:forks|heeds)-/.test(behaviour) ? ['4'] : [])],
  instances: 2,
  ready: { when: 'notify', timeout: '5s' },
  drain: { timeout: '20s' },
  stop: { timeout: '500ms' },
  ...more,
});

/** Its temporary files are in a folder of its own, which is to be empty in the end. */
function newWorld({ onTestFinished }: TestContext, programs: Readonly<Record<string, Program>>): World {
  const temporary = mkdtempSync(join(tmpdir(), 'tv-tmp-'));
  const world = createWorld({ environment: { TMPDIR: temporary } });
  onTestFinished(async () => {
    const left = readdirSync(temporary);
    await world.close();
    rmSync(temporary, { recursive: true });
    expect(left).toEqual([]);
  });
  world.configure(programs);
  return world;
}

async function rehearsal(test: TestContext, program: Program, ...args: string[]) {
  const world = newWorld(test, { worker: program });
  const { code, stdout, stderr } = await world.cli('--json', 'rehearse', 'worker', ...args);
  if (stdout === '') throw new Error(`nothing was said: ${stderr}`);
  const report = JSON.parse(stdout) as Rehearsal & { readonly version: number };
  expect(world.left()).toEqual([]);
  return { code, report, ills: illsOf(report), world };
}

const illsOf = ({ findings }: Rehearsal): string[] =>
  findings
    .filter(({ level }) => level === 'fault' || level === 'warning')
    .map(({ id, level }) => `${id}: ${level}`);

/** On a machine that is busy enough, the job that is lost has no process yet. */
const MAYBE = 'left: warning';

const messageOf = ({ findings }: Rehearsal, id: string): string =>
  findings.find((finding) => finding.id === id)?.message ?? '';

describe.concurrent('a worker is tried with real signals, and what is wrong with it is named', () => {
  const BEHAVIOURS: readonly (readonly [string, readonly string[], Program?])[] = [
    ['good', []],
    ['keeps-its-group', ['group: fault']],
    ['forks-in-its-group', ['group: fault']],
    ['heeds-in-its-group', []],
    ['cuts-its-child', ['cut: fault']],
    ['has-no-handler', ['exit: fault', MAYBE]],
    ['exits-at-once', ['exit: fault', MAYBE]],
    ['exits-at-second-signal', ['again: fault']],
    ['cuts-at-second-signal', ['again: fault']],
    ['exits-with-3', ['exit: warning']],
    ['takes-more', ['quiet: fault']],
    ['leaves-child', ['left: warning']],
    ['says-nothing', ['reports: warning'], { ready: { when: 'spawned', for: '100ms' } }],
    ['leaves-endless-child', ['drain: fault', 'left: fault', 'force: warning'], { drain: { timeout: '4s' } }],
    ['ignores-term', ['quiet: fault', 'drain: fault', 'force: fault'], { drain: { timeout: '1500ms' } }],
    ['never-drains', ['drain: fault', 'force: fault'], { drain: { timeout: '1500ms' } }],
    ['never-ready', ['ready: fault'], { ready: { when: 'notify', timeout: '500ms' } }],
    ['exits-before-ready', ['ready: fault']],
    ['crashes-when-ready', ['work: fault']],
    ['daemonizes', ['ready: fault']],
  ];
  it.for(BEHAVIOURS)('%s', async ([behaviour, expected, more], test) => {
    const { code, report, ills } = await rehearsal(test, worker(behaviour, more));
    const isLate = expected.length === 2 && expected[1] === MAYBE && ills.length === 1;
    expect(ills, JSON.stringify(report, null, 1)).toEqual(isLate ? expected.slice(0, 1) : expected);
    const isWell = !expected.some((each) => each.endsWith('fault'));
    expect({ code, ok: report.ok }).toEqual({ code: isWell ? EXIT.done : EXIT.failed, ok: isWell });
    expect(report).toMatchObject({ version: 1, program: 'worker', instance: 'worker:2' });
  });

  it('idle, within the time that it was given to have work', async (test) => {
    const { code, ills } = await rehearsal(test, worker('idle'), '--after', '200ms');
    expect({ code, ills }).toEqual({ code: EXIT.done, ills: ['work: warning'] });
  });

  it('longer than its drain.timeout: nearly, and too long', async (test) => {
    const slow = (timeout: string) =>
      worker('', { command: [process.execPath, WORKER, 'good', '3'], drain: { timeout } });
    expect((await rehearsal(test, slow('3300ms'), '--once')).ills).toEqual(['drain: warning']);
    const { ills, report } = await rehearsal(test, slow('700ms'), '--once');
    expect(ills).toEqual(['drain: fault', 'force: fault']);
    expect(messageOf(report, 'drain')).toContain('it reported 1 job in flight');
  });

  it('behind a shell that takes the signal for itself', async (test) => {
    const command = `${process.execPath} ${WORKER} good; true`;
    const { report } = await rehearsal(test, worker('', { command, shell: true }), '--timeout', '1s');
    const exit = report.findings.find(({ id }) => id === 'exit');
    expect(exit).toMatchObject({ level: 'fault', cure: expect.stringContaining('`exec`') });
    expect(messageOf(report, 'drain')).toContain('which is all that --timeout allows');
  });

  it('short jobs that end in the moment of the signal by chance are no fault', async (test) => {
    const command = [process.execPath, WORKER, 'good', '0.2'];
    const { ills } = await rehearsal(test, worker('', { command }));
    expect(ills).toEqual([]);
  });
});

describe.concurrent('it is made of what the config says', () => {
  it('with its hooks and its environment, but without what it depends on, and away from the fleet', async (test) => {
    const world = newWorld(test, {
      redis: worker('good'),
      worker: worker('good', {
        depends_on: { redis: 'ready' },
        hooks: {
          pre_start: { exec: 'sh -c "echo $TSUP_VISOR_INSTANCE $TSUP_VISOR_REHEARSAL > pre_start"' },
          pre_drain: { exec: 'sh -c "echo $TSUP_VISOR_HOOK > pre_drain"' },
        },
      }),
    });
    const { stdout, stderr } = await world.succeed('rehearse', 'worker', '--once');
    expect(stdout).toContain('note     depends on redis, which is not started here\n');
    expect(stdout).toMatch(/^ok {7}was ready after \S+: it said READY=1$/m);
    expect(stdout).toMatch(/\n\nworker:2: no fault\n$/);
    expect(stderr).toContain('TERM was sent to worker:2');
    expect(readFileSync(join(world.dir, 'pre_start'), 'utf8')).toBe('worker:2 1\n');
    expect(readFileSync(join(world.dir, 'pre_drain'), 'utf8')).toBe('pre_drain\n');
    for (const name of ['run', 'state', 'logs']) expect(existsSync(join(world.dir, name)), name).toBe(false);
  });

  it('beside a daemon that runs: it touches none of its instances', async (test) => {
    const world = newWorld(test, { worker: worker('good') });
    await world.succeed('start');
    const before = await world.status();
    await world.succeed('rehearse', 'worker', '--once');
    const after = await world.status();
    const brief = ({ instances }: typeof before) =>
      instances.map(({ id, run, pid, restarts }) => ({ id, run, pid, restarts }));
    expect(brief(after)).toEqual(brief(before));
  });

  it('and a failure shows what it wrote last', async (test) => {
    const world = newWorld(test, { worker: worker('exits-before-ready') });
    const { code, stdout } = await world.cli('rehearse', 'worker');
    expect(code).toBe(EXIT.failed);
    expect(stdout).toContain('\nwhat worker:2 wrote last:\n  no database here\n');
    expect(stdout).toMatch(/^FAULT {4}exited with code 4 .*\n {9}cure: read what it wrote last/m);
  });

  it('the report has the processes that were at work, as the system has them', async (test) => {
    const { report } = await rehearsal(test, worker('good'), '--once');
    const [job] = report.drain?.processes ?? [];
    expect(job).toMatchObject({ command: 'bash -c sleep 1.5; exit 0 job' });
    expect(job).toMatchObject({ pgid: job?.pid, sid: job?.pid });
    expect(report.drain).toMatchObject({ signal: 'TERM', timeout_ms: 20_000, killed: false, in_flight: 1 });
    expect(report.drain?.exit).toEqual({ code: 0, signal: null });
  });

  it('waits for as many jobs as were wanted', async (test) => {
    const { report, ills } = await rehearsal(
      test,
      worker('good'),
      '--jobs',
      '2',
      '--after',
      '300ms',
      '--once',
    );
    expect(ills).toEqual(['work: warning']);
    expect(messageOf(report, 'work')).toContain('only 1 job of 2');
  });
});

describe.concurrent('wrong usage', () => {
  it.for<[string, string[], number, RegExp]>([
    ['no program', [], EXIT.usage, /no PROGRAM is given; rehearse takes one program/],
    ['an unknown one', ['wrker'], EXIT.usage, /the config has no program "wrker"; did you mean worker\?/],
    ['an instance', ['worker:1'], EXIT.usage, /worker:1 is an instance; rehearse takes a program/],
    ['no number', ['worker', '--jobs', '0'], EXIT.usage, /"0" is not a number of jobs/],
    ['no duration', ['worker', '--after', '5'], EXIT.usage, /"5" is not a duration/],
  ])('%s', async ([, args, expected, words], test) => {
    const world = newWorld(test, { worker: worker('good') });
    const { code, stderr } = await world.cli('rehearse', ...args);
    expect({ code, stderr }).toEqual({ code: expected, stderr: expect.stringMatching(words) });
  });

  it('a config with a mistake', async (test) => {
    const world = newWorld(test, { worker: worker('good', { instancs: 2 }) });
    expect((await world.cli('rehearse', 'worker')).code).toBe(EXIT.configInvalid);
  });
});

describe.concurrent('whoever breaks it off is left with nothing', () => {
  async function begun(test: TestContext, behaviour: string, pattern: RegExp, more: Program = {}) {
    const world = newWorld(test, { worker: worker(behaviour, more) });
    const { child, ended } = world.begin('rehearse', 'worker');
    let said = '';
    child.stderr?.on('data', (part: string) => {
      said += part;
    });
    await until(`it says ${pattern}`, () => pattern.test(said), { seen: () => said });
    return { world, child, ended };
  }

  it('Ctrl-C while it works: its jobs are drained first', async (test) => {
    const { world, child, ended } = await begun(test, 'idle', /is ready; waiting/);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout }).toEqual({ code: EXIT.interrupted, stdout: '' });
    expect(stderr).toContain('the rehearsal was broken off');
    expect(world.left()).toEqual([]);
  });

  it('twice, while it does not drain: it is killed', async (test) => {
    const { world, child, ended } = await begun(test, 'never-drains', /TERM was sent/, {
      drain: { timeout: 'none' },
    });
    child.kill('SIGINT');
    const instance = world.ofInstances()[0]?.pid;
    // Sooner, it would be the same Ctrl-C, and a busy machine may take this one for the same; later, nobody hears it.
    const insisting = setInterval(() => existsSync(`/proc/${instance}`) && child.kill('SIGINT'), 300);
    const { code } = await ended.finally(() => clearInterval(insisting));
    expect(code).toBe(EXIT.interrupted);
    expect(world.left()).toEqual([]);
  });

  it('nor does a reader that goes away leave anything', async (test) => {
    const { world, child, ended } = await begun(test, 'good', /is ready; waiting/);
    child.stdout?.destroy();
    child.stderr?.destroy();
    await ended;
    expect(world.left()).toEqual([]);
  });
});
