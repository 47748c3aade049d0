// Bundles each entrance. Dependencies stay outside where they have a binary or are loaded seldom; of the rest there
// is one file to find and compile instead of many.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** Names the sources: two builds of one version are told apart by it. */
function build() {
  const hash = createHash('sha256');
  const folder = new URL('src/', import.meta.url);
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.ts'));
  for (const name of files.sort()) hash.update(`${name}\0`).update(readFileSync(new URL(name, folder)));
  return hash.digest('hex').slice(0, 12);
}

const common = {
  platform: 'node',
  transform: {
    define: { TSUP_VISOR_VERSION: JSON.stringify(version), TSUP_VISOR_BUILD: JSON.stringify(build()) },
  },
  external: [/^node:/, 'koffi', 'pidusage'],
};

/** What is needed to ask: loaded first, so that the daemon can begin. */
const TO_ASK = [
  /src.base./,
  /src.client./,
  /src.protocol.(errors|routes|version)\./,
  /src.config.(find|where)\./,
  /src.cli.(main|foresight|global-options|io|out|place|refusal|versions|world)\./,
];
/** `status` whole: a file more is a millisecond more. */
const TO_SHOW = [
  /src.cli.(context|plain-status)\./,
  /src.cli.commands.status\./,
  /src.cli.render.(doing|mixed|next-step|paint|rollout|status|table|text|words)\./,
];
/** What every other command needs as well. */
const TO_RUN = [
  /src.cli.(command-definition|command-line|command-table|option-values|rolling-commands|root-command)\./,
  /node_modules.commander/,
];
const anyOf = (patterns) => (id) => patterns.some((pattern) => pattern.test(id));

/** A file of other than ASCII characters takes twice the memory and longer to compile. */
const ascii = {
  name: 'ascii',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'chunk') chunk.code = chunk.code.replace(/[\u0080-\uffff]/g, escaped);
    }
  },
};
const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

export default defineConfig([
  {
    // In one file: what every runner loads at its start.
    ...common,
    input: { runner: 'src/runner/index.ts' },
    output: { dir: 'dist', format: 'esm', cleanDir: true },
  },
  {
    ...common,
    input: {
      client: 'src/client/index.ts',
      'example/file-queue': 'src/example/file-queue.ts',
      'example/demo': 'src/example/demo.ts',
    },
    output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js' },
  },
  {
    // Small: the text of a program stays in memory for as long as it runs.
    ...common,
    input: { main: 'src/daemon/main.ts' },
    plugins: [ascii],
    output: { dir: 'dist/daemon', format: 'cjs', minify: true, entryFileNames: '[name].cjs' },
  },
  {
    ...common,
    input: { daemon: 'src/daemon/entry.ts' },
    preserveEntrySignatures: false,
    plugins: [ascii],
    output: { dir: 'dist', format: 'cjs', minify: true, entryFileNames: '[name].cjs' },
  },
  {
    // CommonJS and small: Node needs 25 ms less of processor time for it than for modules, of 110 for `status`.
    ...common,
    input: { cli: 'src/cli/main.ts' },
    preserveEntrySignatures: false,
    plugins: [ascii],
    output: {
      dir: 'dist',
      format: 'cjs',
      minify: true,
      entryFileNames: '[name].cjs',
      chunkFileNames: 'cli/[name]-[hash].cjs',
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [
          { name: 'ask', test: anyOf(TO_ASK) },
          { name: 'show', test: anyOf(TO_SHOW) },
          { name: 'run', test: anyOf(TO_RUN) },
        ],
      },
    },
  },
]);
