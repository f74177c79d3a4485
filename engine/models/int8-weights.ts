import { type Int8Codes, int8Codes, int8Scales, transposeInt8 } from '../formats/int8.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import type { Int8Mode } from './compute-mode.ts';
import { notFiniteWeight, readValues } from './weight-values.ts';

/** How the linear layers of a base model are kept in eight bits. */
export interface Int8Options {
  /** What they are kept for: `int8x3` takes residual codes as well. */
  readonly mode: Int8Mode;
}

/**
 * Names of the tensors of a weight `[out, in]` in eight bits (`engine/formats/int8.ts`). Codes are
 * kept both ways round, since ONNX Runtime's product of integers transposes neither factor: forward
 * multiplies with `Wᵀ`, backward with `W`.
 */
export const INT8_NAMES = {
  /** int8 `[out, in]` */
  codes: (weight: string) => weight,
  /** int8 `[in, out]` */
  transposed: (weight: string) => `${weight}.transposed`,
  /** float32 `[out]` */
  scales: (weight: string) => `${weight}.scales`,
  /** int8 `[out, in]` */
  residual: (weight: string) => `${weight}.residual`,
  /** int8 `[in, out]` */
  residualTransposed: (weight: string) => `${weight}.residual_transposed`,
} as const;

/** A weight in eight bits: the tensors that its place is taken by. */
export function int8Weight(weight: TensorToWrite, { mode }: Int8Options): TensorToWrite[] {
  const isSplit = mode === 'int8x3';
  const { name, shape } = weight;
  const [rows, columns] = shape as readonly [number, number];
  const codes = madeFor(isSplit ? 4 : 2, () => readCodes(weight));
  const straight = (name: string, part: keyof Int8Codes): TensorToWrite => ({
    name,
    dtype: 'I8',
    shape: [rows, columns],
    data: async () => bytesOf((await codes())[part]),
  });
  const turned = (name: string, part: keyof Int8Codes): TensorToWrite => ({
    name,
    dtype: 'I8',
    shape: [columns, rows],
    data: async () => bytesOf(transposeInt8((await codes())[part], rows, columns)),
  });
  return [
    { name: INT8_NAMES.scales(name), dtype: 'F32', shape: [rows], data: () => readScales(weight) },
    straight(INT8_NAMES.codes(name), 'codes'),
    turned(INT8_NAMES.transposed(name), 'codes'),
    ...(isSplit
      ? [
          straight(INT8_NAMES.residual(name), 'residual'),
          turned(INT8_NAMES.residualTransposed(name), 'residual'),
        ]
      : []),
  ];
}

/** Makes once what is asked for so many times in a row, and forgets it then. */
function madeFor<T>(uses: number, make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  let used = 0;
  return () => {
    const result = made ?? make();
    used = (used + 1) % uses;
    made = used === 0 ? undefined : result;
    return result;
  };
}

async function readCodes(weight: TensorToWrite): Promise<Int8Codes> {
  const values = await readValues(weight);
  return int8Codes(values, int8Scales(values, weight.shape[0]!));
}

async function readScales(weight: TensorToWrite): Promise<Float32Array<ArrayBuffer>> {
  const scales = int8Scales(await readValues(weight), weight.shape[0]!);
  if (scales.every(Number.isFinite)) return scales;
  throw notFiniteWeight(weight);
}

function bytesOf({ buffer, byteOffset, byteLength }: Int8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
