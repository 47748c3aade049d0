/** The config as a plan, or a refusal with all its mistakes. Brings the YAML parser, so only where it must. */
import type { Plan } from '../core/plan.ts';
import { EXIT } from '../protocol/errors.ts';
import type { Io } from './io.ts';
import { Refusal } from './refusal.ts';

export { socketIn } from '../config/where.ts';

export async function plan(_file: string, _io: Io): Promise<Plan> {
  throw new Refusal(EXIT.configInvalid, 'the config cannot be loaded yet');
}
