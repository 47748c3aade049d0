/** The same from /proc alone, as where koffi cannot be loaded. In a process of its own, which takes in no orphans. */
import { useLeakCheck } from '../rig/leaks.ts';
import { describeTree } from './tree-cases.ts';

describeTree(useLeakCheck(), 'proc');
