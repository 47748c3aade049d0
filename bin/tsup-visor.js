#!/usr/bin/env node
// A CommonJS file: Node starts it faster than a module.
try {
  require('node:module').enableCompileCache?.(); // from Node 22.1 on
  require('../dist/cli.cjs');
} catch (error) {
  const unbuilt = error.code === 'MODULE_NOT_FOUND' && error.message.includes('dist/cli.cjs');
  console.error(unbuilt ? 'tsup-visor: not built yet; run "npm run build" in its folder first' : error);
  process.exitCode = 1;
}
