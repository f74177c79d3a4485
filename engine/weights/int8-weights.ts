import { rotateRows } from '../formats/hadamard.ts';
import { int8Codes, int8Scales } from '../formats/int8.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import { transposed } from '../formats/transposed.ts';
import { notFiniteWeight, readValues } from './weight-values.ts';

/**
 * What a weight `W [out, in]` is multiplied as: `Wᵀ` on the way forward, `W` on the way back.
 * ONNX Runtime's product of integers transposes neither factor, and the numbers that are summed
 * over, which are rotated (`engine/formats/hadamard.ts`), are not the same.
 */
export type Int8Direction = 'forward' | 'backward';

/** Names of the tensors of a weight in eight bits; `n` is summed over: forward `in`, backward `out`. */
export const INT8_NAMES = {
  /** int8 `[n, columns]` */
  codes: (weight: string, direction: Int8Direction) => `${weight}.${direction}`,
  /** float32 `[columns]` */
  scales: (weight: string, direction: Int8Direction) => `${weight}.${direction}_scales`,
} as const;

/** A weight in eight bits: the tensors that its place is taken by. */
export function int8Weight(weight: TensorToWrite): TensorToWrite[] {
  return [...factorTensors(weight, 'forward'), ...factorTensors(weight, 'backward')];
}

function factorTensors(weight: TensorToWrite, direction: Int8Direction): TensorToWrite[] {
  const { name, shape } = weight;
  const [out, width] = shape as readonly [number, number];
  const [columns, n] = direction === 'forward' ? [out, width] : [width, out];
  return [
    {
      name: INT8_NAMES.scales(name, direction),
      dtype: 'F32',
      shape: [columns],
      data: () => readScales(weight, direction),
    },
    {
      name: INT8_NAMES.codes(name, direction),
      dtype: 'I8',
      shape: [n, columns],
      data: async () => bytesOf(transposed(await readCodes(weight, direction), columns)),
    },
  ];
}

async function readCodes(
  weight: TensorToWrite,
  direction: Int8Direction,
): Promise<Int8Array<ArrayBuffer>> {
  const columns = await readColumns(weight, direction);
  return int8Codes(columns.values, int8Scales(columns.values, columns.count));
}

async function readScales(
  weight: TensorToWrite,
  direction: Int8Direction,
): Promise<Float32Array<ArrayBuffer>> {
  const columns = await readColumns(weight, direction);
  const scales = int8Scales(columns.values, columns.count);
  if (scales.every(Number.isFinite)) return scales;
  throw notFiniteWeight(weight);
}

/** The columns of the factor, rotated, one after the other. */
async function readColumns(weight: TensorToWrite, direction: Int8Direction) {
  const [out, width] = weight.shape as readonly [number, number];
  const stored = await readValues(weight);
  const [values, count, length] =
    direction === 'forward'
      ? [Float32Array.from(stored), out, width]
      : [transposed(stored, out), width, out];
  rotateRows(values, length);
  return { values, count };
}

function bytesOf({ buffer, byteOffset, byteLength }: Int8Array<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
