/** What the runs of a daemon with another run_dir have left at work. */
import { createMark } from './mark.ts';
import { findMarked } from './stranger.ts';

export const leftIn = (runDir: string): { instance: string; pid: number }[] =>
  findMarked(createMark(runDir, ''), new Set()).runs.map(({ instance, pid }) => ({ instance, pid }));
