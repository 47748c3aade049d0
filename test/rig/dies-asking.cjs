// Kills a daemon, once, when it has written down that it asks an instance to drain, and before it does.
// The file `dooming` in the folder of the test names the instance; it is removed first.
const fs = require('node:fs');

if (process.argv.includes('--report-fd')) {
  const { writeSync } = fs;
  const file = `${process.env.TV_TEST}/dooming`;
  fs.writeSync = (descriptor, data, ...rest) => {
    const written = writeSync(descriptor, data, ...rest);
    if (Buffer.isBuffer(data) && fs.existsSync(file)) {
      const who = fs.readFileSync(file, 'utf8');
      if (data.includes(`"asking/${who}"`)) {
        fs.unlinkSync(file);
        process.kill(process.pid, 'SIGKILL');
        while (true); // it comes at once, but not within the call
      }
    }
    return written;
  };
}
