/** Names the file that an instance's output goes to. */
import { join } from 'node:path';
import type { LogPath } from '../ports/processes.ts';

/** LOG_DIR/PROGRAM-INDEX.log, or …-INDEX.err.log for stderr; a path of the user's own has its templates filled in. */
export function logPathIn(logDir: string): LogPath {
  return (id, target, stream) => {
    if (target.kind === 'none' || target.kind === 'inherit') return null;
    const { program, index } = partsOf(id);
    if (target.kind === 'file') return fillIn(target.path, { program, index, instance: id });
    return join(logDir, `${program}-${index}${stream === 'err' ? '.err' : ''}.log`);
  };
}

/** `worker:2` is instance 2 of `worker`. */
function partsOf(id: string): { readonly program: string; readonly index: string } {
  const at = id.lastIndexOf(':');
  return { program: id.slice(0, at), index: id.slice(at + 1) };
}

function fillIn(path: string, values: Readonly<Record<string, string>>): string {
  return path.replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, name: string) => values[name] ?? whole);
}
