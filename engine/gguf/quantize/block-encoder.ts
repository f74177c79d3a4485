import { float16ToNumber, float32ToFloat16 } from '../../formats/float16.ts';
import { BLOCK_FORMATS, type GgmlType } from '../dequantize/formats.ts';

/** Makes the bytes of values, which are whole blocks. */
export type Quantizer = (values: Float32Array) => Uint8Array<ArrayBuffer>;

/** Makes the bytes of the block that begins at value `from`, at byte `at`, where there are zeros. */
export type BlockEncoder = (
  values: Float32Array,
  from: number,
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
) => void;

/** A quantizer by how one block is encoded. */
export function quantizerOf(type: GgmlType, encode: BlockEncoder): Quantizer {
  const { elements, bytes: size } = BLOCK_FORMATS[type];
  return (values) => {
    const bytes = new Uint8Array((values.length / elements) * size);
    for (let from = 0, at = 0; from < values.length; from += elements, at += size) {
      encode(values, from, bytes, at);
    }
    return bytes;
  };
}

const single = new Float32Array(1);
const half = new Uint16Array(1);

/** Stores a number as float16. @returns what it is then */
export function putFloat16(bytes: Uint8Array, at: number, value: number): number {
  single[0] = value;
  float32ToFloat16(single, half);
  const bits = half[0]!;
  bytes[at] = bits & 0xff;
  bytes[at + 1] = bits >> 8;
  return float16ToNumber(bits);
}
