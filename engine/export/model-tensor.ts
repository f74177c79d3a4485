import { LorafaError } from '../errors.ts';
import type { TensorData, TensorToWrite } from '../formats/safetensors-writer.ts';
import {
  type FloatDtype,
  isFloatDtype,
  type NarrowDtype,
  narrowTensor,
  streamTensor,
  widenTensor,
} from '../formats/tensor-data.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  type TensorDtype,
  type TensorLocation,
} from '../formats/tensor-location.ts';
import { transposed } from '../formats/transposed.ts';
import type { RowRange } from '../gguf/gguf-weights.ts';

/** Values that are given at a time, whole rows of them, where a tensor is in memory. */
const PIECE_VALUES = 2 ** 21;

/** A tensor of something else than floats, e.g. positions, which is taken as it lies, byte for byte. */
export interface CopiedTensor extends Pick<TensorLocation, 'name' | 'shape'> {
  readonly dtype: Exclude<TensorDtype, FloatDtype>;
  /** Its bytes, in order. A piece is its reader's until the next one. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** A tensor of a model, under Hugging Face's name, whose values are made row after row. */
export interface ModelTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** In what the model holds it. */
  readonly dtype: NarrowDtype;
  /** Its values in float32, in pieces of whole rows, in order. A piece is its reader's until the next one. */
  rows(): AsyncIterable<Float32Array>;
}

/** A tensor of a whole model. */
export type AnyTensor = ModelTensor | CopiedTensor;

/** The number of values of some tensors. */
export function valuesIn(tensors: readonly Pick<ModelTensor, 'shape'>[]): number {
  return tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** Values of a row; elements of a vector are its rows. */
export function rowWidth(shape: readonly number[]): number {
  return shape.length > 1 ? shape.at(-1)! : 1;
}

/** A tensor that lies in a file, of whatever type. */
export function anyStoredTensor(location: TensorLocation): AnyTensor {
  const { name, shape, dtype } = location;
  return isFloatDtype(dtype)
    ? storedTensor(location)
    : { name, shape, dtype, pieces: () => streamTensor(location) };
}

/** Whether a tensor is of floats. */
export function isOfFloats(tensor: AnyTensor): tensor is ModelTensor {
  return 'rows' in tensor;
}

/** A tensor of floats that lies in a file. */
export function storedTensor({ name, shape, dtype, ...place }: TensorLocation): ModelTensor {
  const stored = floatDtype(name, dtype);
  const location = { name, ...place };
  return {
    name,
    shape,
    dtype: narrow(stored),
    async *rows() {
      const unit = rowWidth(shape) * BYTES_PER_ELEMENT[stored];
      for await (const bytes of streamTensor(location, unit)) yield widenTensor(stored, bytes);
    },
  };
}

/** A tensor that is made as a whole. */
export function madeTensor({ name, shape, dtype, data }: TensorToWrite): ModelTensor {
  const made = floatDtype(name, dtype);
  return {
    name,
    shape,
    dtype: narrow(made),
    async *rows() {
      const whole = typeof data === 'function' ? await data() : data;
      for (const piece of cut(whole, made, rowWidth(shape))) {
        yield piece instanceof Float32Array ? piece : widenTensor(made, piece);
      }
    },
  };
}

function* cut(whole: TensorData, dtype: FloatDtype, width: number): Generator<TensorData> {
  const perValue = whole instanceof Float32Array ? 1 : BYTES_PER_ELEMENT[dtype];
  const step = Math.max(1, Math.floor(PIECE_VALUES / width)) * width * perValue;
  for (let start = 0; start < whole.length; start += step) {
    yield whole.slice(start, start + step);
  }
}

/** Some rows of a tensor. */
export function rowsFrom(tensor: ModelTensor, { start, count }: RowRange): ModelTensor {
  const width = rowWidth(tensor.shape);
  return {
    ...tensor,
    shape: [count, ...tensor.shape.slice(1)],
    async *rows() {
      let first = 0;
      for await (const piece of tensor.rows()) {
        const [from, to] = [start - first, start + count - first];
        if (to <= 0) return;
        const wanted = piece.subarray(Math.max(from, 0) * width, to * width);
        if (wanted.length > 0) yield wanted;
        first += piece.length / width;
      }
    },
  };
}

/** A matrix with rows and columns exchanged; it is in memory as a whole. */
export function transposedTensor(tensor: ModelTensor): ModelTensor {
  const [rows, columns] = tensor.shape as readonly [number, number];
  const { name, dtype } = tensor;
  const data = async () => transposed(await allRows(tensor), rows);
  return { ...madeTensor({ name, shape: [columns, rows], dtype: 'F32', data }), dtype };
}

/** All values of a tensor. */
export async function allRows(tensor: ModelTensor): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(elementCount(tensor.shape));
  let at = 0;
  for await (const piece of tensor.rows()) {
    values.set(piece, at);
    at += piece.length;
  }
  return values;
}

/** What rounds to infinity in a type, from half a step beyond its largest number on, and what is said of it. */
const BEYOND = {
  F16: { from: 65_520, largest: 'float16 (65,504)', others: 'bf16 or f32' },
  BF16: { from: 2 ** 128 - 2 ** 119, largest: 'bfloat16 (3.39e38)', others: 'f32' },
} as const;

/**
 * Values rounded to a type.
 *
 * @throws LorafaError `model.unsupported` for a number that becomes infinite, `model.not_finite`
 */
export function rounded(name: string, dtype: NarrowDtype, values: Float32Array): Uint8Array {
  requireFinite(name, values);
  if (dtype !== 'F32') {
    const { from, largest, others } = BEYOND[dtype];
    const beyond = values[firstFrom(from, values)];
    if (beyond !== undefined) {
      throw new LorafaError(
        'model.unsupported',
        `Tensor "${name}" holds ${beyond}, which is beyond the largest ${largest}; export it with --dtype ${others}.`,
      );
    }
  }
  return narrowTensor(dtype, values);
}

/** @throws LorafaError `model.not_finite` */
export function requireFinite(name: string, values: Float32Array): void {
  const odd = values[firstFrom(Number.POSITIVE_INFINITY, values)];
  if (odd === undefined) return;
  throw new LorafaError(
    'model.not_finite',
    `Tensor "${name}" holds ${odd}, with which a model writes nothing of use; the base model or the adapter is damaged or was saved after a failed training, so use another copy.`,
  );
}

/** The index of the first value that is NaN or of at least some magnitude; -1 for none. */
export function firstFrom(magnitude: number, values: Float32Array): number {
  // All values of a model come through here, and a callback would take five times as long.
  for (let index = 0; index < values.length; index++) {
    if (!(Math.abs(values[index]!) < magnitude)) return index;
  }
  return -1;
}

function floatDtype(name: string, dtype: TensorDtype): FloatDtype {
  if (isFloatDtype(dtype)) return dtype;
  throw new LorafaError('internal.unexpected', `Tensor "${name}" of type ${dtype} has no values.`);
}

function narrow(dtype: FloatDtype): NarrowDtype {
  return dtype === 'F64' ? 'F32' : dtype;
}
