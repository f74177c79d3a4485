import { bfloat16Problem } from '../../engine/runtime/bfloat16.ts';
import { CPU } from '../../engine/runtime/device.ts';

/** Why this machine has no products in bfloat16; undefined where it has them. */
const problem = bfloat16Problem(CPU);

/** Whether tests of products in bfloat16 can run here; those that cannot are reported as skipped. */
export const hasBfloat16 = problem === undefined;

if (problem !== undefined) console.warn(`Tests of products in bfloat16 are skipped: ${problem}`);
