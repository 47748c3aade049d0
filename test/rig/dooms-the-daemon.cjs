// Ends a daemon as V8 does when it has no memory left: with a word on descriptor 2, past all of its streams.
if (process.argv.includes('--report-fd')) {
  process.on('SIGURG', () => {
    process._rawDebug('FATAL ERROR: the heap is out of limit');
    process.kill(process.pid, 'SIGKILL');
  });
}
