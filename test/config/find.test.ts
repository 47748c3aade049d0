import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findConfig } from '../../src/config/find.ts';
import { WORLD } from './config.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const found = (explicit?: string, environment: Record<string, string> = {}) =>
  findConfig(explicit, { ...WORLD, environment, home: join(folder, 'home'), cwd: join(folder, 'here') });

function file(path: string): string {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, '');
  return full;
}

test('the config is looked for nearest first', () => {
  const home = file('home/.config/tsup-visor/supervisor.yaml');
  expect(found()).toEqual({ ok: true, value: home });
  const xdg = file('xdg/tsup-visor/supervisor.yaml');
  expect(found(undefined, { XDG_CONFIG_HOME: join(folder, 'xdg') })).toEqual({ ok: true, value: xdg });
  expect(found(undefined, { XDG_CONFIG_HOME: 'relative' })).toEqual({ ok: true, value: home });
  const yml = file('here/supervisor.yml');
  expect(found()).toEqual({ ok: true, value: yml });
  const yaml = file('here/supervisor.yaml');
  expect(found()).toEqual({ ok: true, value: yaml });
  const named = file('here/sub/a.yaml');
  expect(found(undefined, { TSUP_VISOR_CONFIG: 'sub/a.yaml' })).toEqual({ ok: true, value: named });
  expect(found('sub/a.yaml', { TSUP_VISOR_CONFIG: 'no.yaml' })).toEqual({ ok: true, value: named });
});

test('a config that is named must be there', () => {
  file('here/supervisor.yaml');
  expect(found('no.yaml')).toEqual({
    ok: false,
    error: `cannot find the config ${folder}/here/no.yaml, named by -c`,
  });
  expect(found(undefined, { TSUP_VISOR_CONFIG: '/no.yaml' })).toEqual({
    ok: false,
    error: 'cannot find the config /no.yaml, named by $TSUP_VISOR_CONFIG',
  });
});

test('where was looked is said when there is none', () => {
  expect(found(undefined, { TSUP_VISOR_CONFIG: '' })).toEqual({
    ok: false,
    error:
      `cannot find a config; looked for ${folder}/here/supervisor.yaml, ${folder}/here/supervisor.yml, ` +
      `${folder}/home/.config/tsup-visor/supervisor.yaml, /etc/tsup-visor/supervisor.yaml. Name one with -c FILE`,
  });
});

test('a path below a file is not there', () => {
  file('here/a');
  expect(found('a/b.yaml')).toMatchObject({ ok: false });
});
