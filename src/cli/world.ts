/** What the config depends on outside its text, as this command finds it. */
import { homedir, tmpdir } from 'node:os';
import type { World } from '../config/where.ts';
import type { Io } from './io.ts';

export const worldOf = ({ env }: Io): World => ({
  environment: env,
  uid: process.getuid?.() ?? -1,
  home: env.HOME ?? homedir(),
  tmp: tmpdir(),
});
