// Bundles each entrance; what two of them share becomes a chunk. Dependencies stay outside where they are loaded seldom or have a binary; of the rest
// there is one file to find and compile instead of many.
import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const common = {
  platform: 'node',
  transform: { define: { TSUP_VISOR_VERSION: JSON.stringify(version) } },
  external: [/^node:/, 'koffi', 'pidusage'],
};

/** What every command needs, and `status` whole: a file more is a millisecond more. */
const AT_ONCE = [
  /src.base./,
  /src.client./,
  /src.protocol.(errors|routes|version)\./,
  /src.config.(find|where)\./,
  /src.cli.(main|command-line|command-table|context|io|place|refusal)\./,
  /src.cli.commands.status\./,
  /src.cli.render.(doing|paint|rollout|status|table|text|words)\./,
  /node_modules.commander/,
];
const inAtOnce = (id) => AT_ONCE.some((pattern) => pattern.test(id));

export default defineConfig([
  {
    ...common,
    input: {
      daemon: 'src/daemon/main.ts',
      client: 'src/client/index.ts',
      runner: 'src/runner/index.ts',
      'example/file-queue': 'src/example/file-queue.ts',
      'example/demo': 'src/example/demo.ts',
    },
    output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', cleanDir: true },
  },
  {
    // CommonJS: Node needs 20 ms less of processor time for it than for modules, of about 110 for `status`.
    ...common,
    input: { cli: 'src/cli/main.ts' },
    output: {
      dir: 'dist',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: 'cli/[name]-[hash].cjs',
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [{ name: 'at-once', test: inAtOnce }],
      },
    },
  },
]);
