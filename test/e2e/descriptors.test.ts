/** A daemon with few descriptors: what it cannot begin it says, it answers all the same, and goes on once there is room. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { steady } from './puppets.ts';
import { openScene, type Scene } from './scene.ts';
import { until } from './until.ts';

const LIMIT = 64;
const FEW = { through: ['sh', '-c', `ulimit -n ${LIMIT}; exec "$0" "$@"`] };
const MANY = 60;
const patient = {
  ...steady,
  backoff: { initial: '50ms', factor: 1, max: '50ms', jitter: '0%', give_up_after: 'none' },
};

const statesOf = async ({ client }: Scene): Promise<string[]> =>
  (await client.status({ usage: false })).instances.map(({ state }) => state);

describe.concurrent(`a daemon that may have ${LIMIT} files open`, { timeout: 60_000 }, () => {
  it('begins what it can, says why it does not begin the rest, and begins that as others go', async ({
    onTestFinished,
  }) => {
    const scene = await openScene({ many: { ...patient, instances: MANY } }, FEW);
    onTestFinished(() => scene.close());
    const why = /too many open files: the daemon may have 64 \(ulimit -n\), and keeps the last 16 for itself/;
    await scene.see(`many:${MANY - 1}`, 'it says why', ({ message }) => why.test(message));
    const running = (await statesOf(scene)).filter((state) => state === 'running').length;
    expect(running).toBeGreaterThan(2);
    expect(running).toBeLessThan(20);
    await scene.client.scale({ counts: { many: 2 } });
    await until('those that stay work', async () => {
      const states = await statesOf(scene);
      return states.length === 2 && states.every((state) => state === 'running');
    });
    expect((await scene.client.status()).daemon.warnings.filter((text) => /defect/.test(text))).toEqual([]);
  });

  it('has room for what they write, though they are silent for long', async ({ onTestFinished }) => {
    const command = [
      'bash',
      '-c',
      // Not from descriptor 3: it would read its own words.
      'exec 4<> <(:); echo READY=1 >&3; until [ -e go ]; do read -t 0.05 -u 4; done; echo line; exec sleep 1000',
    ];
    const scene = await openScene({ many: { ...patient, command, directory: '.', instances: MANY } }, FEW);
    onTestFinished(() => scene.close());
    await scene.see(`many:${MANY - 1}`, 'it is not begun', ({ message }) =>
      /too many open files/.test(message),
    );
    await until('all that are begun are ready', async () => !(await statesOf(scene)).includes('starting'));
    scene.touch('go');
    const { instances } = await scene.client.status({ usage: false });
    for (const { id } of instances.filter(({ state }) => state === 'running')) {
      const file = scene.path(`logs/${id.replace(':', '-')}.log`);
      await until(`${id} has its line`, () => readFileSync(file, 'utf8') === 'line\n');
    }
    const { warnings } = (await scene.client.status({ usage: false })).daemon;
    expect(warnings.filter((text) => /dropped/.test(text))).toEqual([]);
  });

  it.each([
    ['say nothing', ''],
    ['ask half a question', 'GET /v1/status HTTP/1.1\r\nx: '],
    ['follow and never read', 'GET /v1/events?follow=1 HTTP/1.1\r\n\r\n'],
  ])('answers although a hundred connections %s, and begins what is asked for', async (_, words) => {
    const scene = await openScene({ worker: { ...patient, instances: 2, autostart: false } }, FEW);
    const crowd: Socket[] = [];
    try {
      for (let i = 0; i < 100; i++) {
        const socket = connect(scene.world.socket()).on('error', () => {});
        if (words !== '') socket.write(words);
        crowd.push(socket.pause());
      }
      await until('all have come', () => crowd.every(({ connecting }) => !connecting));
      await scene.client.start({ selectors: ['worker'], wait: true });
      expect(await statesOf(scene)).toEqual(['running', 'running']);
    } finally {
      for (const socket of crowd) socket.destroy();
      await scene.close();
    }
  });
});
