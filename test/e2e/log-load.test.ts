/** Programs that write as fast as they can take nothing from whoever asks the daemon something, nor from each other. */
import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openScene } from './scene.ts';
import { until } from './until.ts';

const WRITERS = 4;
const ANSWERS = 20;

describe.concurrent('while four programs write as fast as they can', { timeout: 90_000 }, () => {
  it('status is answered again and again, and each of them gets on', async ({ onTestFinished }) => {
    const pour = {
      command: ['sh', '-c', 'until [ -e stop ]; do head -c 10000000 /dev/zero; done; exec sleep 1000'],
      directory: '.',
      instances: WRITERS,
      logs: { max_size: '1MB', keep: 1 },
    };
    const scene = await openScene({ pour, quiet: { command: ['sleep', '1000'] } });
    onTestFinished(() => scene.close());
    const logs = Array.from({ length: WRITERS }, (_, n) => scene.path(`logs/pour-${n}.log`));
    const looks = (path: string): string => {
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats === undefined ? 'not there' : `${stats.ino} ${stats.size}`;
    };
    for (let n = 0; n < ANSWERS; n++) {
      const before = logs.map(looks);
      const { instances } = await scene.client.status();
      expect(instances).toHaveLength(WRITERS + 1);
      await until('more from each of them', () => logs.every((path, k) => looks(path) !== before[k]));
    }
    scene.touch('stop');
  });
});
