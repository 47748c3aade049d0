import { checkRows } from './keys/check.ts';
import { LOGS } from './keys/logs.ts';

checkRows('what becomes of output', LOGS);
