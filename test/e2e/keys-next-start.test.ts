import { checkRows } from './keys/check.ts';
import { NEXT_END } from './keys/next-end.ts';
import { NEXT_HOOKS } from './keys/next-hooks.ts';
import { NEXT_READY } from './keys/next-ready.ts';

checkRows('what belongs to a run', [...NEXT_READY, ...NEXT_END, ...NEXT_HOOKS]);
