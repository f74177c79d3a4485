import { LorafaError } from '../errors.ts';
import { streamTensor } from '../formats/tensor-data.ts';
import { BLOCK_FORMATS } from '../gguf/dequantize/formats.ts';
import type { GgufTensor } from '../gguf/gguf-part.ts';
import type { RowOrder } from '../gguf/gguf-weights.ts';
import { quantizeQ4_K, quantizeQ5_K, quantizeQ6_K } from '../gguf/quantize/k-quantizers.ts';
import { quantizeQ5_0, quantizeQ5_1 } from '../gguf/quantize/q5-quantizers.ts';
import { quantizeQ8_0 } from '../gguf/quantize/quantize-q8-0.ts';
import type { Tolerance } from './check-export.ts';
import type { ExportDtype } from './export-format.ts';
import { firstFrom, type ModelTensor, requireFinite, rounded, rowWidth } from './model-tensor.ts';

/** `general.file_type` (llama.cpp `llama_ftype`), and what matrices are stored in, of mixtures most of them. */
export const FILE_TYPES = {
  f32: { number: 0, type: 'F32' },
  f16: { number: 1, type: 'F16' },
  q8_0: { number: 7, type: 'Q8_0' },
  q4_k_m: { number: 15, type: 'Q4_K' },
  bf16: { number: 32, type: 'BF16' },
} as const satisfies Readonly<
  Record<ExportDtype, { readonly number: number; readonly type: string }>
>;

/** How values are quantized. */
const QUANTIZERS = {
  Q4_K: quantizeQ4_K,
  Q5_K: quantizeQ5_K,
  Q6_K: quantizeQ6_K,
  Q5_0: quantizeQ5_0,
  Q5_1: quantizeQ5_1,
  Q8_0: quantizeQ8_0,
} as const;

type QuantizedType = keyof typeof QUANTIZERS;

/** In what values are written into a GGUF file. */
export type WrittenType = QuantizedType | 'F32' | 'F16' | 'BF16';

/** What rows that are no whole blocks are stored in, as llama.cpp has it. */
const SHORTER: Readonly<Partial<Record<WrittenType, WrittenType>>> = {
  ...{ Q4_K: 'Q5_0', Q5_K: 'Q5_1', Q6_K: 'Q8_0' },
  ...{ Q5_0: 'F16', Q5_1: 'F16', Q8_0: 'F16' },
};

/** The type of a tensor: vectors are in float32, matrices in what is wanted if their rows are whole blocks of it. */
export function typeOf(shape: readonly number[], wanted: WrittenType): WrittenType {
  if (shape.length < 2) return 'F32';
  const shorter = SHORTER[wanted];
  const isWhole = shape.at(-1)! % BLOCK_FORMATS[wanted].elements === 0;
  return isWhole || shorter === undefined ? wanted : typeOf(shape, shorter);
}

function isQuantized(type: WrittenType): type is QuantizedType {
  return type in QUANTIZERS;
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

/**
 * Values in a type of GGML.
 *
 * @throws LorafaError `model.unsupported` for what a type has no place for, `model.not_finite`
 */
export function encode(name: string, type: WrittenType, values: Float32Array): Uint8Array {
  if (!isQuantized(type)) return rounded(name, type, values);
  requireFinite(name, values);
  const bytes = QUANTIZERS[type](values);
  const at = firstFrom(Number.POSITIVE_INFINITY, decoded(type, bytes, values.length));
  if (at === -1) return bytes;
  throw new LorafaError(
    'model.unsupported',
    `Tensor "${name}" holds ${values[at]} among numbers for which ${type} has no scale; export it with --dtype bf16 or f32.`,
  );
}

/** What a reader makes of blocks. */
function decoded(
  type: QuantizedType,
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
): Float32Array {
  const values = new Float32Array(length);
  BLOCK_FORMATS[type].dequantize(bytes, values);
  return values;
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

/**
 * A tensor as it is meant to be read from a file. What is just rounded is compared as such; where a scale is searched
 * for, what the same search finds is decoded.
 */
export function meantAs(tensor: ModelTensor, type: WrittenType): ModelTensor {
  if (type === 'Q8_0') return tensor;
  if (!isQuantized(type)) return { ...tensor, dtype: type };
  return {
    ...tensor,
    dtype: 'F32',
    async *rows() {
      for await (const values of tensor.rows()) {
        yield decoded(type, QUANTIZERS[type](values), values.length);
      }
    },
  };
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
