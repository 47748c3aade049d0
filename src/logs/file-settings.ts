/** What is wanted of a log file, whatever its lines look like, and what is told about it. */
import type { LogSettings } from '../core/plan.ts';

export type FileSettings = Pick<LogSettings, 'maxBytes' | 'keep' | 'maxAgeMs' | 'compress' | 'whenFull'>;

export interface LogFileEvents {
  /** Once, until it is well again. */
  failing(path: string, why: string, whenFull: FileSettings['whenFull']): void;
  /** `droppedBytes` in between. */
  well(path: string, droppedBytes: number): void;
  /** It cannot be put aside, and so grows on. */
  stuck(path: string, why: string): void;
  /** What was put aside stays as it is. */
  uncompressed(path: string, why: string): void;
}
