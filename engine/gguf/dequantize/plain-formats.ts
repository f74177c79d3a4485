import { bfloat16ToFloat32, float16ToFloat32 } from '../../formats/float16.ts';
import type { BlockFormat } from './block-format.ts';

/** Float32 as it is. */
export const F32: BlockFormat = {
  elements: 1,
  bytes: 4,
  dequantize: ({ buffer, byteOffset, byteLength }, values) =>
    values.set(new Float32Array(buffer, byteOffset, byteLength / 4)),
};

/** Float16. */
export const F16: BlockFormat = {
  elements: 1,
  bytes: 2,
  dequantize: (bytes, values) => {
    float16ToFloat32(halves(bytes), values);
  },
};

/** Bfloat16. */
export const BF16: BlockFormat = {
  elements: 1,
  bytes: 2,
  dequantize: (bytes, values) => {
    bfloat16ToFloat32(halves(bytes), values);
  },
};

function halves({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Uint16Array {
  return new Uint16Array(buffer, byteOffset, byteLength / 2);
}
