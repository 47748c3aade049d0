// Loaded into a Node process by --require: on SIGUSR2 it collects its garbage, and writes down what keeps it alive: timers, sockets and the like.
const { renameSync, writeFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

const path = process.env.CONFESS_TO;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGUSR2', () => {
  for (let times = 0; times < 3; times++) collect();
  writeFileSync(`${path}.new`, JSON.stringify(process.getActiveResourcesInfo()));
  renameSync(`${path}.new`, path);
});
