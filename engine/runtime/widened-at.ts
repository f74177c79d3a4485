import { bfloat16ToFloat32, float16ToFloat32 } from '../formats/float16.ts';
import type { DType } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import { uint16sAt } from './own-memory.ts';

/** Numbers that are widened at once. */
const PIECE = 2 ** 20;

/**
 * The numbers at a place in memory as float32, exactly.
 *
 * @param stored `float16` or `bfloat16`
 */
export function widenedAt(address: Pointer, stored: DType, count: number): Float32Array {
  const widen = stored === 'bfloat16' ? bfloat16ToFloat32 : float16ToFloat32;
  const values = new Float32Array(count);
  for (let start = 0; start < count; start += PIECE) {
    const target = values.subarray(start, start + PIECE);
    widen(uint16sAt(address + BigInt(2 * start), target.length), target);
  }
  return values;
}
