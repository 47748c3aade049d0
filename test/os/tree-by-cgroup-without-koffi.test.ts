/** By cgroups, which need no koffi. In a process of its own, which takes in no orphans. */
import { describe } from 'vitest';
import { useLeakCheck } from '../rig/leaks.ts';
import { whyNoCgroups } from './cgroups.ts';
import { describeTree } from './tree-cases.ts';

const leaks = useLeakCheck();
describe.skipIf(whyNoCgroups !== null)('by cgroups, without koffi', () => describeTree(leaks, 'fork'));
