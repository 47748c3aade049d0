/** Other versions of the package, installed beside this one: the same sources, but for what a test changes. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './build.ts';

const { version: INSTALLED } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string; // of every package
};

/** Returns the folder of the package. */
export function install(dir: string, version: string): string {
  const home = join(dir, `version-${version}`);
  mkdirSync(home);
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(ROOT, name), join(home, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(home, 'node_modules'));
  for (const file of [join(home, 'package.json'), ...programs(join(home, 'dist'))]) {
    edit(file, (text) => text.replaceAll(INSTALLED, version));
  }
  return home;
}

/** As where there is no koffi for the machine. */
export function withoutKoffi(home: string): void {
  const modules = join(home, 'node_modules');
  rmSync(modules);
  mkdirSync(modules);
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== 'koffi' && name !== '@koromix')
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
}

/** Its daemon is this program now. */
export const replaceDaemon = (home: string, program: string): void =>
  writeFileSync(join(home, 'dist/daemon.cjs'), program);

export const edit = (file: string, change: (text: string) => string): void =>
  writeFileSync(file, change(readFileSync(file, 'utf8')));

const programs = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.c?js$/.test(name))
    .map((name) => join(folder, name));
