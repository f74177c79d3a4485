import { float32ToFloat16 } from '../../formats/float16.ts';
import { BLOCK_FORMATS } from '../dequantize/formats.ts';

const { elements: ELEMENTS, bytes: BYTES } = BLOCK_FORMATS.Q8_0;

/**
 * Values in Q8_0: blocks of 32 with a float16 scale, the largest magnitude over 127, and codes in eight bits.
 * Every step is rounded to float32 and half away from zero, so that the bytes are those of the package
 * `gguf` and of ggml's reference (`quantize_row_q8_0_ref`).
 *
 * @param values whole blocks
 */
export function quantizeQ8_0(values: Float32Array): Uint8Array<ArrayBuffer> {
  const blocks = values.length / ELEMENTS;
  const bytes = new Uint8Array(blocks * BYTES);
  const scales = new Float32Array(blocks);
  for (let block = 0; block < blocks; block++) {
    const start = block * ELEMENTS;
    let largest = 0;
    for (let i = start; i < start + ELEMENTS; i++) {
      largest = Math.max(largest, Math.abs(values[i]!));
    }
    const scale = Math.fround(largest / 127);
    const reciprocal = scale === 0 ? 0 : Math.fround(1 / scale);
    scales[block] = scale;
    const codes = block * BYTES + 2;
    for (let i = 0; i < ELEMENTS; i++) {
      const scaled = Math.fround(values[start + i]! * reciprocal);
      bytes[codes + i] = scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5);
    }
  }
  const halves = float32ToFloat16(scales);
  for (let block = 0; block < blocks; block++) {
    bytes[block * BYTES] = halves[block]! & 0xff;
    bytes[block * BYTES + 1] = halves[block]! >> 8;
  }
  return bytes;
}
