/** Checks that are held while a daemon is about to be replaced: begun later, or never. */
import { expect, it } from 'vitest';
import { Turnstile } from '../../src/daemon/turnstile.ts';
import type { CommandRequest } from '../../src/ports/processes.ts';

function scene() {
  const log: string[] = [];
  const turnstile = new Turnstile((request, done) => {
    const [name = ''] = request.command;
    log.push(`begins ${name}`);
    if (name === 'quick') done({ ok: true, detail: '' });
    return () => log.push(`cancels ${name}`);
  });
  const check = (name: string, answered = (): void => {}) =>
    turnstile.execute({ command: [name] } as unknown as CommandRequest, ({ detail }) => {
      log.push(`${name}: ${detail}`);
      answered();
    }); // of a request nothing else is looked at here
  return { log, turnstile, check };
}

it('lets all pass as long as it is open', () => {
  const { log, check } = scene();
  check('one')();
  expect(log).toEqual(['begins one', 'cancels one']);
});

it('holds who comes, and lets them begin in their order', () => {
  const { log, turnstile, check } = scene();
  turnstile.hold(true);
  check('one');
  const cancel = check('two');
  expect(log).toEqual([]);
  turnstile.hold(false);
  expect(log).toEqual(['begins one', 'begins two']);
  cancel();
  expect(log.at(-1)).toBe('cancels two');
});

it('never begins one that was cancelled, and says so', async () => {
  const { log, turnstile, check } = scene();
  turnstile.hold(true);
  const cancel = check('one');
  cancel();
  cancel();
  expect(log, 'not within the call').toEqual([]);
  await new Promise((done) => setImmediate(done));
  expect(log).toEqual(['one: was cancelled']);
  turnstile.hold(false);
  expect(log).toHaveLength(1);
});

it('is not confused by an answer that cancels who is next', () => {
  const { log, turnstile, check } = scene();
  turnstile.hold(true);
  let cancel: () => unknown = () => undefined;
  check('quick', () => void cancel());
  cancel = check('two');
  turnstile.hold(false);
  expect(log).toEqual(['begins quick', 'quick: ']);
});
