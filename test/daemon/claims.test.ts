/** Who may run with a config file, while another daemon lives or after it has died. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Claim, marksOf } from '../../src/config/claim.ts';
import { claimConfig } from '../../src/daemon/claims.ts';
import { acquireLock } from '../../src/os/lock.ts';

let folder: string;
let open: { release(): void }[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claims-'));
  open = [];
});
afterEach(() => {
  for (const each of open) each.release();
  rmSync(folder, { recursive: true, force: true });
});

const notes = () => join(folder, 'notes');

function config(name: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  return file;
}

const claimOf = (file: string, name = 'one'): Claim => ({
  name,
  pid: process.pid,
  config: file,
  marks: marksOf(file),
  socket: '/run/control.sock',
});

async function claim(file: string, name?: string) {
  const claimed = await claimConfig(claimOf(file, name), notes(), acquireLock);
  if (claimed.ok) open.push(claimed.value);
  return claimed;
}

test('one daemon has the file, and the second is told of it', async () => {
  const file = config('a/supervisor.yaml');
  expect((await claim(file)).ok).toBe(true);
  expect(await claim(file, 'two')).toEqual({
    ok: false,
    error: expect.stringMatching(
      /^the daemon "one" \(pid \d+\) runs with this config file already; end it first/,
    ),
  });
});

test('a link to the folder leads to the same file', async () => {
  const file = config('release-7/supervisor.yaml');
  symlinkSync('release-7', join(folder, 'current'));
  await claim(join(folder, 'current/supervisor.yaml'), 'current');
  expect(await claim(file, 'release-7')).toMatchObject({
    ok: false,
    error: expect.stringContaining('"current"'),
  });
});

test('a link that leads elsewhere by now is that other file, which the next reload reads', async () => {
  const [seven, eight] = [config('release-7/supervisor.yaml'), config('release-8/supervisor.yaml')];
  symlinkSync('release-7', join(folder, 'current'));
  await claim(join(folder, 'current/supervisor.yaml'), 'current');
  rmSync(join(folder, 'current'));
  symlinkSync('release-8', join(folder, 'current'));
  expect((await claim(eight)).ok).toBe(false);
  expect((await claim(seven)).ok).toBe(true);
});

test('a folder that was renamed has the same file', async () => {
  const file = config('before/supervisor.yaml');
  await claim(file, 'before');
  renameSync(join(folder, 'before'), join(folder, 'after'));
  expect(await claim(join(folder, 'after/supervisor.yaml'))).toMatchObject({
    ok: false,
    error: expect.stringContaining('"before"'),
  });
});

test('so has one whose file an editor has replaced before, and a file that got another name', async () => {
  const file = config('before/supervisor.yaml');
  const named = config('named/one.yaml');
  await claim(file, 'before');
  await claim(named, 'named');
  renameSync(config('before/new'), file);
  renameSync(join(folder, 'before'), join(folder, 'after'));
  renameSync(named, join(folder, 'named/two.yaml'));
  expect((await claim(join(folder, 'after/supervisor.yaml'))).ok).toBe(false);
  expect((await claim(join(folder, 'named/two.yaml'))).ok).toBe(false);
});

test('a file that an editor has put in the place of the old one is the same config', async () => {
  const file = config('a/supervisor.yaml');
  await claim(file);
  renameSync(config('a/new'), file);
  expect((await claim(file, 'two')).ok).toBe(false);
});

test('the old file, moved away while another lies in its place, is nobody’s', async () => {
  const file = config('a/supervisor.yaml');
  await claim(file);
  renameSync(file, join(folder, 'moved.yaml'));
  config('a/supervisor.yaml');
  expect((await claim(join(folder, 'moved.yaml'))).ok).toBe(true);
});

test('two files are two configs, also copies', async () => {
  expect((await claim(config('a/supervisor.yaml'))).ok).toBe(true);
  expect((await claim(config('b/supervisor.yaml'))).ok).toBe(true);
});

test('what a daemon that was killed has left keeps nobody away, and is taken away', async () => {
  const file = config('a/supervisor.yaml');
  mkdirSync(notes(), { recursive: true });
  writeFileSync(join(notes(), '1-dead.json'), JSON.stringify(claimOf(file)));
  writeFileSync(join(notes(), '1-dead.lock'), '1\n');
  const claimed = await claim(file);
  expect(claimed.ok).toBe(true);
  expect(readdirSync(notes()).filter((name) => name.startsWith('1-dead'))).toEqual([]);
});

test('a daemon that ends leaves nothing, and the next may come', async () => {
  const file = config('a/supervisor.yaml');
  await claim(file);
  open.pop()?.release();
  expect(readdirSync(notes())).toEqual(['lock']);
  expect((await claim(file)).ok).toBe(true);
});

test('of many that are started at once one wins', async () => {
  const file = config('a/supervisor.yaml');
  const all = await Promise.all(Array.from({ length: 8 }, (_, at) => claim(file, `d${at}`)));
  expect(all.filter(({ ok }) => ok)).toHaveLength(1);
});

test('what is no note is passed over', async () => {
  const file = config('a/supervisor.yaml');
  mkdirSync(notes(), { recursive: true });
  writeFileSync(join(notes(), 'x.json'), '{"pid":1');
  writeFileSync(join(notes(), 'y.json'), 'null');
  expect((await claim(file)).ok).toBe(true);
});

test('where nothing can be noted down it is thrown why', async () => {
  writeFileSync(notes(), '');
  await expect(claim(config('a/supervisor.yaml'))).rejects.toThrow('cannot make the folder');
});

/** A daemon that was killed has let go of its lock, and of nothing else. */
function killed(claim: Claim): void {
  mkdirSync(notes(), { recursive: true, mode: 0o700 });
  writeFileSync(join(notes(), '7-dead.json'), JSON.stringify(claim));
}

const LEFT = [
  { instance: 'worker:0', pid: 8114 },
  { instance: 'worker:1', pid: 8115 },
];

test('what a killed daemon with another run_dir has left at work is not started a second time', async () => {
  const file = config('supervisor.yaml');
  killed({ ...claimOf(file, 'old'), pid: 7, runDir: '/run/old' });
  let left = LEFT;
  const asked: string[] = [];
  const leftIn = (runDir: string) => {
    asked.push(runDir);
    return left;
  };
  const own = { ...claimOf(file, 'new'), runDir: '/run/new' };
  for (const _ of [1, 2]) {
    const refused = await claimConfig(own, notes(), acquireLock, leftIn);
    expect(refused).toMatchObject({
      ok: false,
      error: expect.stringContaining('run_dir /run/old, was killed'),
    });
    expect(refused).toMatchObject({
      error: expect.stringMatching(/\(worker:0, worker:1\).*"kill 8114 8115"/),
    });
  }
  expect(asked).toEqual(['/run/old', '/run/old']);
  left = [];
  const claimed = await claimConfig(own, notes(), acquireLock, leftIn);
  expect(claimed.ok).toBe(true);
  if (claimed.ok) open.push(claimed.value);
  expect(readdirSync(notes()), 'nothing is told of it any more').not.toContain('7-dead.json');
});

test.each([
  ['the same run_dir, which takes it up', 'supervisor.yaml', '/run/new'],
  ['another config file', 'other.yaml', '/run/old'],
])('what a killed daemon has left does not matter to one with %s', async (_, name, runDir) => {
  killed({ ...claimOf(config(name), 'old'), pid: 7, runDir });
  const own = { ...claimOf(config('supervisor.yaml'), 'new'), runDir: '/run/new' };
  const claimed = await claimConfig(own, notes(), acquireLock, () => LEFT);
  expect(claimed.ok).toBe(true);
  if (claimed.ok) open.push(claimed.value);
});
