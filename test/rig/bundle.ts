/** Makes a module of src/ that a plain Node can run, for tests that need several processes. */
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** `entry` is relative to the repository. Answers with the path of an ES module from which packages are found. */
export async function bundle(entry: string): Promise<string> {
  const file = `${ROOT}node_modules/.cache/tsup-visor-test/${process.pid}-${entry.replaceAll('/', '-')}.mjs`;
  await build({
    input: ROOT + entry,
    platform: 'node',
    external: [/^node:/, 'koffi', 'pidusage'],
    output: { file, format: 'esm' },
    logLevel: 'silent',
  });
  return file;
}
