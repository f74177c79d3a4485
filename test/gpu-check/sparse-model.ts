import { open } from 'node:fs/promises';
import path from 'node:path';
import { expectedTensors } from '../../engine/architectures/expected-tensors.ts';
import { parseDecoderConfig } from '../../engine/architectures/hugging-face-config.ts';
import { float32ToBfloat16 } from '../../engine/formats/float16.ts';
import type { TensorToWrite } from '../../engine/formats/safetensors-writer.ts';
import type { TensorLocation } from '../../engine/formats/tensor-location.ts';
import type { BaseModel } from '../../engine/models/base-model.ts';
import { Random } from '../../engine/random.ts';
import type { ComputeMode } from '../../engine/weights/compute-mode.ts';
import { quantizedTensors } from '../../engine/weights/quantization.ts';
import { describeTensors } from '../../engine/weights/weight-cache.ts';
import { WeightStore } from '../../engine/weights/weight-store.ts';
import { MODEL_SHAPES, type ModelShape } from '../bench/model-shapes.ts';
import { byteLevelFiles } from '../engine/tokenizer/tiny-tokenizer.ts';

/** Each tensor begins at a page. */
const ALIGNMENT = 4096;

/** Bytes of random weights, which are written over and over again. */
const PATTERN_BYTES = 2 ** 25;

/** Standard deviation of weights, as transformers initialises them. */
const DEVIATION = 0.02;

/** A model by its shape. */
export interface SparseModelOptions {
  readonly shape: ModelShape;
  /** Whether the linear layers are in NF4. */
  readonly isNf4: boolean;
  /** How products with its weights are computed. */
  readonly compute: ComputeMode;
  /** Whether weights have values, and take the disk; else the file is a hole, whose zeros nobody reads. */
  readonly hasValues: boolean;
}

/**
 * A model of a shape, of which there are no more than its weights: in bfloat16, or in NF4.
 *
 * @param folder to put their file in
 */
export async function sparseModel(
  folder: string,
  { shape, isNf4, compute, hasValues }: SparseModelOptions,
): Promise<BaseModel> {
  const configJson = MODEL_SHAPES[shape];
  const config = parseDecoderConfig(configJson, 'config.json');
  const stored = [...expectedTensors(config)].map(
    ([name, shape]): TensorToWrite => ({ name, shape, dtype: 'BF16', data: new Uint8Array() }),
  );
  const tensors = isNf4
    ? quantizedTensors(config, stored, { kind: 'nf4', doubleQuant: false })
    : stored;
  const file = path.join(folder, `${shape}${isNf4 ? '-nf4' : ''}.bin`);
  const places = laidOut(describeTensors(tensors, file));
  const weights = new WeightStore(places, compute);
  await writeFile(file, [...places.values()], hasValues);
  const tokenizer = byteLevelFiles({ chatTemplate: null });
  return { path: folder, name: shape, config, configJson, weights, tokenizer };
}

function laidOut(
  described: ReadonlyMap<string, TensorLocation>,
): ReadonlyMap<string, TensorLocation> {
  let end = 0;
  return new Map(
    [...described].map(([name, location]) => {
      const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      end = offset + location.length;
      return [name, { ...location, offset }];
    }),
  );
}

async function writeFile(
  file: string,
  tensors: readonly TensorLocation[],
  hasValues: boolean,
): Promise<void> {
  const size = Math.max(...tensors.map(({ offset, length }) => offset + length));
  const handle = await open(file, 'w');
  try {
    await handle.truncate(size);
    if (!hasValues) return;
    const pattern = randomBfloat16();
    for (const { dtype, shape, offset, length } of tensors) {
      const values =
        dtype === 'F32'
          ? bytesOf(new Float32Array(length / 4).fill(DEVIATION))
          : shape.length === 1 && dtype === 'BF16'
            ? bytesOf(float32ToBfloat16(new Float32Array(length / 2).fill(1)))
            : pattern;
      for (let at = 0; at < length; at += values.length) {
        await handle.write(values, 0, Math.min(values.length, length - at), offset + at);
      }
    }
  } finally {
    await handle.close();
  }
}

function randomBfloat16(): Uint8Array {
  const random = new Random(0);
  const draws = float32ToBfloat16(
    Float32Array.from({ length: 2 ** 16 }, () => DEVIATION * random.normal()),
  );
  const bits = Uint16Array.from(
    { length: PATTERN_BYTES / 2 },
    () => draws[random.uint32() >>> 16]!,
  );
  return bytesOf(bits);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
