/** The daemon's program, which `daemon/entry.ts` loads. */
import { closeSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createDaemon, type Daemon, proveDaemon } from './daemon.ts';
import type { Summons } from './summons.ts';

const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    socket: { type: 'string' },
    prove: { type: 'boolean' },
    'report-fd': { type: 'string' },
    start: { type: 'string', multiple: true },
  },
});

/**
 * `keepCode`: what this version has been compiled to is kept for when it is run the next time. Whoever only proves
 * itself does that; a daemon that held on to it would hold its whole text twice.
 */
export function main(keepCode: () => void, whenSummoned: Summons): void {
  if (values.config === undefined) {
    process.stderr.write(
      'usage: daemon --config FILE [--socket PATH] [--report-fd N] [--start SELECTOR|all|none]\n',
    );
    process.exit(2);
  }

  // Whoever started this has closed the other end by then: what is said there is heard by nobody, and that is no fault.
  process.stderr.on('error', () => {});
  if (values.prove === true) {
    const proof = proveDaemon(values.config);
    if (proof.ok) keepCode();
    process.stdout.write(`${JSON.stringify(proof)}\n`);
    process.exit(0);
  }
  void serve(values.config, whenSummoned);
}

async function serve(config: string, whenSummoned: Summons): Promise<void> {
  let daemon: Daemon | undefined;
  let isToEnd = false;
  const end = (): void => {
    isToEnd = true;
    daemon?.shutDown('drain');
  };
  whenSummoned(end);
  // By logrotate, say; what opens its logs later opens them at their paths.
  process.on('SIGUSR2', () => daemon?.reopenLogs());

  const { socket } = values;
  const made = await createDaemon({
    configFile: config,
    socket,
    echo: null,
    nextCommand: ({ node, daemon: program }) => [
      node,
      ...process.execArgv,
      program,
      ...['--config', config, ...(socket === undefined ? [] : ['--socket', socket])],
    ],
  });
  if (!made.ok) {
    report({ ok: false, ...made.error });
    process.stderr.write(`${made.error.message}\n`);
    process.exit(made.error.kind === 'config_invalid' ? 5 : 1);
  }
  daemon = made.value;
  report({ ok: true, pid: process.pid, took_over: daemon.tookOver });
  // Whoever has started it in the background reads no more; anybody else may.
  const isUnread = values['report-fd'] !== undefined || daemon.tookTheSeat;
  if (isUnread) daemon.keepErrors();
  if (isToEnd) end();
  const wanted = (values.start ?? ['none']).filter((selector) => selector !== 'none');
  if (wanted.length > 0 && !isToEnd) await start(daemon, wanted.includes('all') ? [] : wanted);
  const fault = await daemon.ended;
  if (fault !== null && !isUnread) process.stderr.write(`${fault}\n`);
  process.exit(fault === null ? 0 : 1);
}

/** A selector that matches nothing starts nothing; the daemon is up all the same, and its log says so. */
async function start({ start: begin }: Daemon, selectors: readonly string[]): Promise<void> {
  try {
    await begin(selectors);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** One line for whoever started this, who waits for it; nobody has to be listening. */
function report(what: object): void {
  const fd = Number(values['report-fd'] ?? '0');
  if (fd < 3) return;
  try {
    writeSync(fd, `${JSON.stringify(what)}\n`);
    closeSync(fd);
  } catch {
    // Whoever asked has gone: the daemon is up all the same.
  }
}
