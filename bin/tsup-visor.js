#!/usr/bin/env node
import('../dist/cli.js').catch((error) => {
  const unbuilt =
    error?.code === 'ERR_MODULE_NOT_FOUND' && String(error.url ?? error.message).includes('dist/cli.js');
  console.error(unbuilt ? 'tsup-visor: not built yet; run "npm run build" in its folder first' : error);
  process.exitCode = 1;
});
