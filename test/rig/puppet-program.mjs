// A program that does what a test tells it over a socket; see puppet.ts. `PUPPET_SOCKET` and `PUPPET_NAME` say who it is.
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const commands = {
  line: ({ text }) => writeSync(3, text),
  datagram: ({ text }) => sendDatagram(process.env.NOTIFY_SOCKET, text),
  hear: ({ signal }) => void process.on(signal, () => say({ signal })),
  print: ({ text }) => writeSync(1, text),
  fork: ({ name, own }) => fork(name, own),
  exit: ({ code }) => process.exit(code),
  crash: () => process.kill(process.pid, 'SIGKILL'),
};

if (process.env.PUPPET_OWN === 'group') libc().func('int setpgid(int, int)')(0, 0);
const socket = connect(process.env.PUPPET_SOCKET, () =>
  say({ name: process.env.PUPPET_NAME, pid: process.pid }),
);
socket.on('error', () => process.exit(1));
socket.on('close', () => process.exit(1)); // the test is over: nothing is left behind
createInterface({ input: socket }).on('line', (line) => {
  const { id, command } = JSON.parse(line);
  const value = commands[command.do](command);
  say({ id, value: value ?? null });
});

function say(message) {
  socket.write(`${JSON.stringify(message)}\n`);
}

/** `own`: in a `group` or `session` of its own, or in neither. Keeps descriptor 3. */
function fork(name, own) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    env: { ...process.env, PUPPET_NAME: name, PUPPET_OWN: own ?? '' },
    stdio: ['ignore', 'inherit', 'inherit', 3],
    detached: own === 'session',
  });
  return child.pid;
}

function libc() {
  return createRequire(import.meta.url)('koffi').load(null);
}

function sendDatagram(path, text) {
  const c = libc();
  const descriptor = c.func('int socket(int, int, int)')(1, 2, 0);
  const address = Buffer.concat([Buffer.from(new Uint16Array([1]).buffer), Buffer.from(`${path}\0`)]);
  const bytes = Buffer.from(text);
  const send = c.func('long sendto(int, void *, size_t, int, void *, uint)');
  const sent = Number(send(descriptor, bytes, bytes.length, 0, address, address.length));
  c.func('int close(int)')(descriptor);
  return sent;
}
