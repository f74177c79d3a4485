import { middleCode } from '../formats/blockwise.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { keptAnswer } from '../kept-answer.ts';
import { Session } from './session.ts';

const BITS = 8;
const BLOCK = 32;
/** Numbers that are added up: more than one vector register takes. */
const BLOCKS = 8;
/** The largest code of activations, which have a scale of their own in each block. */
const LARGEST = 127;

/**
 * Whether products with weights in blocks of codes are exact on this processor where the numbers allow it.
 * Where neighbouring products are added in sixteen bits, large ones do not fit.
 *
 * @throws LorafaError `device.failed` where it could not be tried, for want of memory perhaps
 */
export const areBlockwiseProductsExact = keptAnswer(isExact);

async function isExact(): Promise<boolean> {
  const largestCode = 2 ** BITS - 1;
  const size = BLOCKS * BLOCK;
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [1, size]);
  const codes = builder.constant(Array(size).fill(largestCode), [1, BLOCKS, BLOCK], 'uint8');
  const scales = builder.constant(Array(BLOCKS).fill(1), [1, BLOCKS]);
  const sum = builder.matmulNBits(x, codes, scales, 'int8');
  const session = await Session.create(builder.finish({ sum }), { threads: 1 });
  try {
    const results = await session.run({ x: new Float32Array(size).fill(LARGEST) });
    return results['sum']!.data[0] === size * LARGEST * (largestCode - middleCode(BITS));
  } finally {
    await session.release();
  }
}
