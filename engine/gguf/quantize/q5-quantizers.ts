import { putFloat16, quantizerOf } from './block-encoder.ts';

/*
 * What rows become whose width is no multiple of 256: blocks of 32 values in five bits. Every step is rounded as in
 * the package `gguf` and in ggml's reference (`quantize_row_q5_0_ref`, `quantize_row_q5_1_ref`), so that the bytes
 * are the same.
 */

const { fround, trunc, min } = Math;

/** The value of largest magnitude has the code -16. */
export const quantizeQ5_0 = quantizerOf('Q5_0', (values, from, bytes, at) => {
  let peak = 0;
  for (let i = from; i < from + 32; i++) {
    if (Math.abs(values[i]!) > Math.abs(peak)) peak = values[i]!;
  }
  const d = fround(peak / -16);
  const perValue = d === 0 ? 0 : fround(1 / d);
  putFloat16(bytes, at, d);
  // ggml's compilers fuse product and sum: in double precision both are exact enough.
  putCodes(bytes, at + 2, (i) => fround(values[from + i]! * perValue + 16.5));
});

/** Codes begin at the lowest value. */
export const quantizeQ5_1 = quantizerOf('Q5_1', (values, from, bytes, at) => {
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = from; i < from + 32; i++) {
    lowest = min(lowest, values[i]!);
    highest = Math.max(highest, values[i]!);
  }
  const d = fround(fround(highest - lowest) / 31);
  const perValue = d === 0 ? 0 : fround(1 / d);
  putFloat16(bytes, at, d);
  putFloat16(bytes, at + 2, lowest);
  putCodes(bytes, at + 4, (i) =>
    fround(fround(fround(values[from + i]! - lowest) * perValue) + 0.5),
  );
});

/** 4 bytes of fifth bits, and 16 of nibbles. @param codeOf the code of a value before it is cut to an integer */
function putCodes(bytes: Uint8Array, at: number, codeOf: (i: number) => number): void {
  for (let i = 0; i < 32; i++) {
    const code = min(31, trunc(codeOf(i)));
    bytes[at + (i >> 3)]! |= (code >> 4) << (i & 7);
    bytes[at + 4 + (i & 15)]! |= (code & 15) << ((i >> 4) * 4);
  }
}
