/** The same where koffi cannot be loaded, and where there is no /proc. In a file of its own: no subreaper here. */
import { describe } from 'vitest';
import { useLeakCheck } from '../rig/leaks.ts';
import { describeCommands } from './command-cases.ts';

const leaks = useLeakCheck();

describe('by /proc', () => describeCommands(leaks, 'proc'));
describe('by ps', () => describeCommands(leaks, 'ps'));
