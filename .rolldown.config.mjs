// Bundles each entrance; what two of them share becomes a chunk. Dependencies stay outside, but for those
// that every command loads: one file to find and compile instead of seven.
import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default defineConfig({
  input: {
    cli: 'src/cli/main.ts',
    daemon: 'src/daemon/main.ts',
    client: 'src/client/index.ts',
    runner: 'src/runner/index.ts',
    'example/file-queue': 'src/example/file-queue.ts',
    'example/demo': 'src/example/demo.ts',
  },
  platform: 'node',
  transform: { define: { TSUP_VISOR_VERSION: JSON.stringify(version) } },
  external: [/^node:/, 'koffi', 'pidusage', 'yaml'],
  output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true },
});
