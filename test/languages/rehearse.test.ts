/**
 * The story that this project began with, told beforehand: `rehearse` finds the job's child in its father's own process
 * group, before a signal to the group does. Of the workers that the README shows it finds nothing.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { createWorld } from '../e2e/world.ts';
import { reasonToSkip } from './go.ts';
import { LANGUAGES, type Language, workerIn } from './readme.ts';
import { openShop } from './shop.ts';
import { FATHERS, type Father, layScript } from './story/fathers.ts';

const scratch = mkdtempSync(join(tmpdir(), 'tv-foresight-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const folder = (): string => mkdtempSync(join(scratch, 'folder-'));

function skipWithout(tool: string): void {
  beforeEach(({ skip }) => {
    const reason = reasonToSkip(tool);
    if (reason !== null) skip(reason);
  });
}

async function rehearsed({ onTestFinished }: TestContext, command: readonly string[], directory: string) {
  const world = createWorld();
  onTestFinished(() => world.close());
  world.configure({
    worker: { command, directory, ready: { when: 'notify', timeout: '20s' }, drain: { timeout: '20s' } },
  });
  const { code, stdout } = await world.cli('rehearse', 'worker');
  expect(world.left()).toEqual([]);
  return { code, said: stdout.replaceAll(/\n {9}(?! )/g, ' ') };
}

function story({ tool, prepare }: Father): void {
  skipWithout(tool);
  let made: Promise<readonly string[]> | undefined;
  const rehearsedWith = async (test: TestContext, jobGroup: 'own' | 'shared') => {
    made ??= prepare(folder());
    const dir = folder();
    layScript(dir);
    const options = ['--every-ms', '500', '--takes-ms', '1500', '--job-group', jobGroup];
    return rehearsed(test, [...(await made), ...options], dir);
  };

  it('names the jobs in the group of their father, and the cure', async (test) => {
    const { code, said } = await rehearsedWith(test, 'shared');
    expect({ code, said }).toEqual({ code: 1, said: expect.stringMatching(/\n\nworker:1: 1 fault\n/) });
    const [fault = ''] = said.split('\n').filter((line) => line.startsWith('FAULT'));
    expect(fault).toMatch(/^FAULT +has \d+ \((?:bash hello\.sh|sleep) .*in its own process group: /);
    expect(fault).toContain(' cure: start job children in a group of their own: ');
  });

  it('has nothing to say of jobs in groups of their own', async (test) => {
    const { code, said } = await rehearsedWith(test, 'own');
    expect({ code, said }).toEqual({ code: 0, said: expect.stringMatching(/\n\nworker:1: no fault\n/) });
  });
}

for (const father of FATHERS)
  describe.concurrent(`a father in ${father.language}`, { timeout: 60_000 }, () => story(father));

function shown(language: Language): void {
  skipWithout(language.tool);
  it('has no fault', async (test) => {
    const { dir, add } = openShop(folder());
    writeFileSync(join(dir, 'hello.sh'), 'sleep 1.5\n:\n');
    add(100);
    const { code, said } = await rehearsed(test, language.prepare(workerIn(language), folder()), dir);
    expect({ code, said }).toEqual({ code: 0, said: expect.stringMatching(/\n\nworker:1: no fault\n/) });
    expect(said).toMatch(/^ok +a second TERM \S+ after the first changed nothing$/m);
    expect(said).not.toMatch(/^warning/m);
  });
}

for (const language of LANGUAGES)
  describe.concurrent(`the worker in ${language.name} that the README shows`, { timeout: 60_000 }, () =>
    shown(language),
  );
