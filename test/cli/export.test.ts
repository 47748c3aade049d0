/** `export systemd`: the unit, what it leaves out, and what is said about it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { assignment, commandFile, commandWord, lineValue } from '../../src/cli/unit/quoting.ts';
import { type UnitFacts, unitName, unitText } from '../../src/cli/unit/unit.ts';
import { EXIT } from '../../src/protocol/errors.ts';
import { command } from './terminal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tv export '));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const configure = (text: string): void => writeFileSync(join(folder, 'supervisor.yaml'), text);
const given = (env: Readonly<Record<string, string>> = {}) => ({
  cwd: folder,
  env: { PATH: '/usr/bin:/bin', ...env },
});
const lines = (unit: string, key: string): string[] =>
  unit.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
const facts = (change: Partial<UnitFacts> = {}): UnitFacts => ({
  name: 'orders',
  version: '0.1.0',
  node: process.execPath,
  program: '/usr/local/bin/tsup-visor',
  config: '/srv/orders/supervisor.yaml',
  path: '/usr/bin:/bin',
  manager: 'system',
  user: null,
  folders: new Map(),
  stop: { ms: 315_000, programs: [] },
  limits: false,
  systemd: 254,
  ...change,
});

const WORKER = 'programs:\n  worker: { command: sleep 1 }\n';
const DIRS = '  run_dir: /run/orders\n  state_dir: /var/lib/orders\n  log_dir: /var/log/orders\n';

describe('export systemd', () => {
  it('prints a unit that starts this very program with this very config, and nothing else', async () => {
    configure(`supervisor:\n  name: orders\n${DIRS}${WORKER}`);
    const { out, err, exit } = await command(['export', 'systemd'], given());
    expect({ err, exit }).toEqual({ err: '', exit: EXIT.done });
    const config = commandWord(join(folder, 'supervisor.yaml'));
    expect(lines(out, 'ExecStart')).toEqual([
      `"${process.execPath}" "/bin/tsup-visor.js" "-c" ${config} start --foreground`,
    ]);
    expect(lines(out, 'ExecReload')[0]).toMatch(/ reload --detach$/);
    expect(lines(out, 'WantedBy')).toEqual(['multi-user.target']);
    expect(lines(out, 'Environment')).toEqual(['"PATH=/usr/bin:/bin"']);
  });

  it('waits at a stop as long as the longest end may take, and without end for a drain without a limit', async () => {
    configure(
      `${WORKER}  redis: { command: sleep 1, drain: { timeout: 20s } }\n  web: { command: sleep 1, drain: { timeout: 1m }, depends_on: { redis: ready } }\n`,
    );
    const { out } = await command(['export', 'systemd'], given());
    expect(lines(out, 'TimeoutStopSec')).toEqual(['5min 45s']);
    configure('programs:\n  worker: { command: sleep 1, drain: { timeout: none } }\n');
    const without = (await command(['export', 'systemd'], given())).out;
    expect(lines(without, 'TimeoutStopSec')).toEqual(['infinity']);
    expect(without).toContain('# A drain without a limit: worker');
  });

  it("is for the user's own manager with --user", async () => {
    configure(`supervisor:\n  name: orders\n${DIRS}${WORKER}`);
    const { out } = await command(['export', 'systemd', '--user'], given());
    expect(lines(out, 'WantedBy')).toEqual(['default.target']);
    expect([...lines(out, 'User'), ...lines(out, 'LimitNOFILE'), ...lines(out, 'After')]).toEqual([]);
    expect(out).toContain('loginctl enable-linger');
  });

  it('writes a file whole, or says why not, and leaves no draft behind', async () => {
    configure(WORKER);
    const written = await command(['export', 'systemd', '--output', 'orders.service'], given());
    expect(written).toMatchObject({
      exit: EXIT.done,
      out: expect.stringContaining('systemctl daemon-reload'),
    });
    const file = join(folder, 'orders.service');
    expect(readFileSync(file, 'utf8')).toContain('[Service]');
    expect(statSync(file).mode & 0o777).toBe(0o644);
    const failed = await command(['export', 'systemd', '--output', 'none/orders.service'], given());
    expect(failed.exit).toBe(EXIT.failed);
    expect(failed.err).toMatch(/cannot write .*none\/orders\.service: no such file or directory$/m);
    expect(readdirSync(folder).sort()).toEqual(['orders.service', 'supervisor.yaml']);
  });

  it('writes into a folder by the name of the unit', async () => {
    configure(`supervisor: { name: orders }\n${WORKER}`);
    mkdirSync(join(folder, 'system'));
    const { out } = await command(['export', 'systemd', '--output', 'system/'], given());
    expect(out).toContain(`wrote ${join(folder, 'system/tsup-visor-orders.service')}; now:`);
    expect(readdirSync(join(folder, 'system'))).toEqual(['tsup-visor-orders.service']);
  });

  it('has each folder of PATH once, and none that would be wherever the unit runs', async () => {
    configure(WORKER);
    const { out } = await command(['export', 'systemd'], given({ PATH: '/usr/bin::/opt/b:/usr/bin:/bin:' }));
    expect(lines(out, 'Environment')).toEqual(['"PATH=/usr/bin:/opt/b:/bin"']);
  });

  it('has what the daemon says, and Node when it cannot go on, in the journal', () => {
    expect(lines(unitText(facts()), 'StandardOutput')).toEqual(['null']);
    expect(lines(unitText(facts()), 'StandardError')).toEqual(['journal']);
  });

  it('is JSON alone with --json', async () => {
    configure(`supervisor: { name: orders }\n${WORKER}`);
    const { out, err } = await command(['--json', 'export', 'systemd'], given());
    expect(err).toBe('');
    expect(JSON.parse(out)).toEqual({
      unit: 'tsup-visor-orders.service',
      text: expect.stringContaining('[Unit]'),
      warnings: [],
    });
  });

  it('refuses a config with mistakes, with exit code 5', async () => {
    configure('programs:\n  worker: { comand: sleep 1 }\n');
    const { out, err, exit } = await command(['export', 'systemd'], given());
    expect({ out, exit }).toEqual({ out: '', exit: EXIT.configInvalid });
    expect(err).toContain('comand');
  });

  it('says that the config needs a variable which the unit does not give it', async () => {
    configure(`programs:\n  worker: { command: "sleep \${NAP:?how long}" }\n`);
    const { err, exit } = await command(['export', 'systemd'], given({ NAP: '1' }));
    expect(exit).toBe(EXIT.done);
    expect(err).toMatch(/with the environment that tsup-visor-tv-export-.*line 2: .*how long/s);
    expect(err).toContain('EnvironmentFile=');
  });
});

describe('export systemd of a user who is not root', () => {
  const exported = (env = {}) => command(['export', 'systemd'], given({ HOME: folder, ...env }));
  beforeEach(() => {
    if (process.getuid !== undefined) vi.spyOn(process, 'getuid').mockReturnValue(1000);
  });

  it('runs the daemon as him, and has systemd make the folders that he cannot', async () => {
    configure(`supervisor:\n  name: orders\n${DIRS}${WORKER}`);
    const { out, err } = await exported({ XDG_RUNTIME_DIR: '/run/user/1000' });
    expect(err).toBe('');
    expect(lines(out, 'User')).toEqual([userInfo().username]);
    expect(['RuntimeDirectory', 'StateDirectory', 'LogsDirectory'].flatMap((key) => lines(out, key))).toEqual(
      ['"orders"', '"orders"', '"orders"'],
    );
  });

  it('says that the daemon would not be where commands look for it, or where nothing stays', async () => {
    configure(`supervisor: { name: orders }\n${WORKER}`);
    const elsewhere = await exported({ XDG_RUNTIME_DIR: '/run/user/1000' });
    expect(elsewhere.err).toMatch(
      /run_dir of the daemon of tsup-visor-orders\.service would be \S+, while commands in this terminal look for \/run\/user\/1000/,
    );
    expect((await exported()).err).toContain('where old files are cleared away');
    const own = await command(
      ['export', 'systemd', '--user'],
      given({ HOME: folder, XDG_RUNTIME_DIR: '/run/user/1000' }),
    );
    expect([own.err, lines(own.out, 'User')]).toEqual(['', []]);
  });
});

describe('a unit', () => {
  it('of a user who is not root has him, and the folders that only root can make', () => {
    const folders = new Map([['RuntimeDirectory', 'tsup-visor/orders'] as const]);
    const text = unitText(facts({ user: 'deploy', folders }));
    expect(lines(text, 'User')).toEqual(['deploy']);
    expect(lines(text, 'RuntimeDirectory')).toEqual(['"tsup-visor/orders"']);
    // systemd would take it away at each stop, and with it what a daemon that died has left.
    expect(lines(text, 'RuntimeDirectoryPreserve')).toEqual(['yes']);
    expect(lines(unitText(facts()), 'RuntimeDirectoryPreserve')).toEqual([]);
  });

  it('gives up limits at the death of the daemon where systemd could not start the next one otherwise', () => {
    expect(lines(unitText(facts({ limits: true, systemd: 252 })), 'ExecStopPost')).toHaveLength(1);
    for (const other of [{ limits: true }, { systemd: 252 }, { limits: true, systemd: null }]) {
      expect(lines(unitText(facts(other)), 'ExecStopPost')).toEqual([]);
    }
  });

  it('is named after the supervisor', () => {
    expect(unitName('orders')).toBe('tsup-visor-orders.service');
    expect(unitName('tsup-visor')).toBe('tsup-visor.service');
  });

  it('has nothing that systemd could misread', () => {
    expect(commandWord('/a b/$c/100%/"d"\\e\n')).toBe('"/a b/$$c/100%%/\\"d\\"\\\\e\\x0a"');
    expect(commandFile('/a $b')).toBe('"/a $b"');
    expect(assignment('PATH', '/a:$b:%h')).toBe('"PATH=/a:$b:%%h"');
    expect(lineValue('a\nb \\ 100%')).toBe('a b 100%%');
  });
});

const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;
if (!analyze) console.warn('the units are not verified: there is no systemd-analyze');

it.skipIf(!analyze).each([
  ['system', facts({ limits: true, systemd: 249 })],
  ['user', facts({ manager: 'user', stop: { ms: null, programs: ['worker' as never] } })],
  [
    'system, of a user',
    facts({
      user: userInfo().username,
      folders: new Map([
        ['RuntimeDirectory', 'orders'],
        ['StateDirectory', 'orders/a b'],
      ] as const),
    }),
  ],
] as const)('systemd-analyze finds nothing wrong with a unit of the kind: %s', (_, each) => {
  const file = join(folder, unitName('orders'));
  writeFileSync(file, unitText({ ...each, program: process.execPath, config: "/srv/a 'b' %h $c/s.yaml" }));
  const { stdout, stderr, status } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
  // A systemd before 254 passes over the one setting that it does not know.
  const said = `${stdout}${stderr}`
    .split('\n')
    .filter((line) => !/Unknown key.*'DelegateSubgroup'/.test(line));
  expect(said.filter((line) => line.includes(unitName('orders')))).toEqual([]);
  expect(status).toBe(0);
});
