import { checkRows } from './keys/check.ts';
import { ROLLING } from './keys/rolling.ts';

checkRows('a key that the process has from its start', ROLLING);
