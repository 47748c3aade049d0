/** `completion`: the words that a shell is given, and the scripts with which it asks for them. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/command-table.ts';
import { SCRIPTS } from '../../src/cli/completion/scripts.ts';
import { ROLLOUT_PARTS } from '../../src/cli/rolling-commands.ts';
import { EXIT } from '../../src/protocol/errors.ts';
import { type FakeDaemon, fakeDaemon } from './fake-daemon.ts';
import { instance, rollout, status } from './samples.ts';
import { command } from './terminal.ts';

let daemon: FakeDaemon;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tsup-visor-completion-'));
  writeFileSync(
    join(folder, 'supervisor.yaml'),
    'groups: { batch: [worker] }\nprograms:\n  worker: { command: sleep 1, instances: 2 }\n  redis: { command: sleep 1 }\n',
  );
  daemon = await fakeDaemon({
    'GET /v1/status': status([instance(), instance({ id: 'worker:1' })]),
    'GET /v1/rollouts': { version: 1, rollouts: [rollout()] },
  });
});
afterEach(async () => {
  await daemon.close();
  rmSync(folder, { recursive: true, force: true });
});

const lines = async (...words: readonly string[]) => {
  const given = { cwd: folder };
  const all = ['--socket', daemon.socket, ...words];
  const { out, err, exit } = await command(['completion', 'candidates', '--', ...all], given);
  expect({ err, exit }).toEqual({ err: '', exit: EXIT.done });
  return out.trimEnd().split('\n');
};
const words = async (...typed: readonly string[]) =>
  (await lines(...typed)).map((line) => line.split('\t')[0]);

describe('what may come next', () => {
  test('is a command, with what it does', async () => {
    expect(await words('')).toEqual(COMMANDS.map(({ name }) => name));
    expect(await lines('rolling')).toEqual([
      'rolling-restart\trestart one instance after another, each when the one before is whole again',
    ]);
  });

  test('is a part of a command', async () => {
    expect(await words('rollout', '')).toEqual(ROLLOUT_PARTS.filter((part) => part !== 'help'));
    expect(await words('rollout', 'pro')).toEqual(['promote']);
  });

  test('is an option, also one that every command takes', async () => {
    const options = await words('rolling-restart', '--');
    for (const option of [
      '--canary',
      '--instances',
      '--parallel',
      '--replace',
      '--reason',
      '--json',
      '--help',
    ]) {
      expect(options).toContain(option);
    }
    expect(await words('rollout', 'revert', '--re')).toEqual(['--reason']);
  });

  test('is nothing that we know where an option wants a value', async () => {
    expect(await words('rolling-restart', 'worker', '--canary', '')).toEqual(['']);
    expect(await words('rolling-restart', '--detach', 'r')).toEqual(['redis']);
    expect(await words('rolling-restart', '--canary', '2', 'w')).toEqual(['worker', 'worker:0', 'worker:1']);
  });

  test('is a name, of the config and of what runs', async () => {
    expect(await lines('stop', 'worker', '')).toEqual([
      'worker\t2 instances',
      'redis\t1 instance',
      '@batch\tworker',
      'worker:0\trunning',
      'worker:1\trunning',
    ]);
    expect(await words('scale', '')).toEqual(['worker=', 'redis=']);
    expect(await words('signal', 'US')).toEqual(['USR1', 'USR2']);
    expect(await words('signal', 'HUP', 'r')).toEqual(['redis']);
  });

  test('is a rollout by program or number', async () => {
    expect(await lines('rollout', 'abort', '')).toEqual([
      'worker\t',
      '7\trollout 7 of worker is running: 1 of 4 done, now worker:1',
    ]);
    expect(await words('rollout', 'abort', '7', '')).toEqual(['']);
  });

  test('is less where no daemon answers', async () => {
    await daemon.die();
    expect(await words('stop', '')).toEqual(['worker', 'redis', '@batch']);
    expect(await words('rollout', 'abort', '')).toEqual(['']);
  });
});

test('another shell is refused', async () => {
  expect(await command(['completion', 'tcsh'])).toMatchObject({
    exit: EXIT.usage,
    err: 'tsup-visor: there is no completion for "tcsh"; the shells are: bash, zsh, fish\n',
  });
  expect((await command(['completion'])).err).toContain('name one: bash, zsh or fish');
});

test.each(['bash', 'zsh', 'fish'] as const)('the script of %s is printed as it is', async (shell) => {
  expect(await command(['completion', shell])).toEqual({ exit: EXIT.done, out: SCRIPTS[shell], err: '' });
});

describe('in bash', () => {
  /** What readline would be given for a line with the cursor at its end; the command answers with `answer`. */
  const replies = (line: string, answer: string) => {
    const bin = join(folder, 'tsup-visor');
    writeFileSync(bin, `#!/bin/sh\nshift 3\nprintf '%s|' "$@" > '${folder}/asked'\nprintf '${answer}'\n`);
    chmodSync(bin, 0o755);
    const script = `${SCRIPTS.bash}
PATH="${folder}:$PATH"; COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
_tsup_visor; printf '%s\\n' "\${COMPREPLY[@]}"; cat '${folder}/asked'`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.split('\n');
  };

  test('the words so far are handed on, an empty one after a space', () => {
    expect(replies('tsup-visor -c x.yaml stop ', 'worker\\tx\\n')).toEqual(['worker', '-c|x.yaml|stop||']);
  });

  test('what readline takes for the beginning of the word is left out', () => {
    expect(replies('tsup-visor stop worker:', 'worker:0\\trunning\\nworker:1\\trunning\\n')).toEqual([
      '0',
      '1',
      'stop|worker:|',
    ]);
  });

  test('a word may have no description', () => {
    expect(replies('tsup-visor signal U', 'USR1\\t\\nUSR2\\t\\n').slice(0, 2)).toEqual(['USR1', 'USR2']);
  });
});
