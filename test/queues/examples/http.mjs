/**
 * An HTTP server whose restart leaves no request unanswered. `GET /?id=7&ms=200` runs a command: `node http.mjs ./job.sh`
 *
 * Each instance has a port of its own, the next after `PORT`; whoever balances between them asks another one when a
 * connection is refused.
 */
import { createServer } from 'node:http';
import { finished } from 'node:stream/promises';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { createRunner } from 'tsup-visor/runner';

const [script = './job.sh'] = process.argv.slice(2);
const { PORT = '8080', TSUP_VISOR_INDEX = '0' } = process.env;

const runner = createRunner();
const server = createServer((request, response) => {
  runner
    .run(`${request.method} ${request.url}`, (cancel) => answer(request, response, cancel))
    .catch(() => response.writableEnded || response.destroy());
});

// What is under way is a job, so it is waited for. `server.close()` would wait for more: for connections on which
// nobody has ever asked anything, a minute and longer. Whoever has connected by now is let in first, and has a moment to
// say what he wants: to him, a connection that is reset might mean that it has been done.
runner.onQuiet('http', async () => {
  await setImmediate();
  server.close();
  server.closeIdleConnections();
  await setTimeout(100);
});
runner.onShutdown('http', () => server.closeAllConnections());

server.listen(Number(PORT) + Number(TSUP_VISOR_INDEX), () => runner.ready());
await runner.drained();

async function answer(request, response, cancel) {
  const { searchParams } = new URL(request.url, 'http://localhost');
  const args = ['id', 'ms'].map((name) => searchParams.get(name) ?? '0');
  await runner.exec('bash', [script, ...args], { signal: cancel }).catch(async (error) => {
    await send(response, cancel.aborted ? 503 : 500, 'failed');
    throw error; // for the runner to tell
  });
  await send(response, 200, 'done');
}

/** The request is done when its answer is out, not when we have spoken. */
async function send(response, status, text) {
  if (runner.quiet.aborted) response.setHeader('Connection', 'close'); // ask another one from now on
  response.writeHead(status, { 'Content-Type': 'text/plain' });
  response.end(`${text}\n`);
  await finished(response);
}
