// Kills a daemon, once, as it asks an instance to drain: before its signal is sent, or right after it.
// The file `dooming` in the folder of the test says "before 2" or "after 2", by the signals of one step, from 1; it is
// removed first.
const fs = require('node:fs');

if (process.argv.includes('--report-fd')) {
  const { writeSync } = fs;
  const { kill } = process;
  const file = `${process.env.TV_TEST}/dooming`;
  let marks = 0;

  const dies = (when) => {
    if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== `${when} ${marks}`) return;
    fs.unlinkSync(file);
    kill.call(process, process.pid, 'SIGKILL');
    while (true); // it comes at once, but not within the call
  };
  fs.writeSync = (descriptor, data, ...rest) => {
    const written = writeSync(descriptor, data, ...rest);
    if (typeof data === 'string' && /^( \d{15}\n)+$/.test(data)) marks = 0;
    if (data === '*') marks++;
    if (data === '*') dies('before');
    return written;
  };
  process.kill = (pid, signal) => {
    const result = kill.call(process, pid, signal);
    if (signal === 'SIGTERM') dies('after');
    return result;
  };
}
