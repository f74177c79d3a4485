import { streamTensor } from '../formats/tensor-data.ts';
import { BLOCK_FORMATS } from '../gguf/dequantize/formats.ts';
import type { GgufTensor } from '../gguf/gguf-part.ts';
import type { RowOrder } from '../gguf/gguf-weights.ts';
import { fitsQ8_0, quantizeQ8_0 } from '../gguf/quantize-q8-0.ts';
import type { Tolerance } from './check-export.ts';
import type { ExportDtype } from './export-format.ts';
import { type ModelTensor, rounded, rowWidth } from './model-tensor.ts';

/** `general.file_type` (llama.cpp `llama_ftype`), and what matrices are stored in. */
export const FILE_TYPES = {
  f32: { number: 0, type: 'F32' },
  f16: { number: 1, type: 'F16' },
  q8_0: { number: 7, type: 'Q8_0' },
  bf16: { number: 32, type: 'BF16' },
} as const;

/** In what values are written into a GGUF file. */
export type WrittenType = (typeof FILE_TYPES)[ExportDtype]['type'];

/** Rows that are no whole blocks stay in float16. */
export function typeOf(shape: readonly number[], dtype: ExportDtype): WrittenType {
  if (shape.length < 2) return 'F32';
  return dtype === 'q8_0' && !fitsQ8_0(shape.at(-1)!) ? 'F16' : FILE_TYPES[dtype].type;
}

/** Rows in the order of a file. */
export function orderRows(
  values: Float32Array,
  shape: readonly number[],
  rowOrder: RowOrder,
): Float32Array {
  const width = rowWidth(shape);
  const ordered = new Float32Array(values.length);
  for (let row = 0; row * width < values.length; row++) {
    const from = rowOrder(row) * width;
    ordered.set(values.subarray(from, from + width), row * width);
  }
  return ordered;
}

/** Values in a type of GGML. */
export function encode(name: string, type: WrittenType, values: Float32Array): Uint8Array {
  switch (type) {
    case 'Q8_0':
      return quantizeQ8_0(values);
    case 'F32':
    case 'F16':
    case 'BF16':
      return rounded(name, type, values);
  }
}

/**
 * Half a step of the block's scale, that scale and what comes of it rounded to float16; scales below
 * 6e-5 are less exact.
 */
export const q8Tolerance: Tolerance = (meant) => {
  const allowed = new Float32Array(Math.ceil(meant.length / 32));
  for (let i = 0; i < meant.length; i++) {
    const block = i >> 5;
    allowed[block] = Math.max(allowed[block]!, Math.abs(meant[i]!));
  }
  for (let block = 0; block < allowed.length; block++) {
    allowed[block] = allowed[block]! * (0.5 / 127 + 2 ** -10) + 2 ** -17;
  }
  return (index) => allowed[index >> 5]!;
};

/** A tensor as it is meant to be read from a file: what is just rounded is compared as such. */
export function meantAs(tensor: ModelTensor, type: WrittenType): ModelTensor {
  return type === 'Q8_0' ? tensor : { ...tensor, dtype: type };
}

/** A tensor of a GGUF file, its values in the order and under the name that they have there. */
export function ggufTensor(tensor: GgufTensor): ModelTensor {
  const { name, shape, type } = tensor;
  const { elements, bytes, dequantize } = BLOCK_FORMATS[type];
  return {
    name,
    shape,
    dtype: 'F32',
    async *rows() {
      const rowBytes = ((shape.at(-1) ?? 1) / elements) * bytes;
      for await (const blocks of streamTensor(tensor, rowBytes)) {
        const values = new Float32Array((blocks.byteLength / bytes) * elements);
        dequantize(blocks, values);
        yield values;
      }
    },
  };
}
