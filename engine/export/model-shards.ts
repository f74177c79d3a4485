import { WEIGHTS_ALIGNMENT, writeSafetensors } from '../formats/safetensors-writer.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  type TensorLocation,
} from '../formats/tensor-location.ts';
import type { ExportProgress } from './export-format.ts';
import { type AnyTensor, isOfFloats, type ModelTensor, rounded } from './model-tensor.ts';

/** Tensors of a model that lie in one file. */
export interface Shard {
  readonly tensors: readonly AnyTensor[];
  /** Bytes of the tensors. */
  readonly bytes: number;
}

/** Tensors in their order, as many in a shard as fit; one that is larger than a shard has its own. */
export function shardsOf(tensors: readonly AnyTensor[], limit: number): readonly Shard[] {
  const shards: { tensors: AnyTensor[]; bytes: number }[] = [{ tensors: [], bytes: 0 }];
  for (const tensor of tensors) {
    const bytes = bytesOf([tensor]);
    const last = shards.at(-1)!;
    if (last.bytes > 0 && last.bytes + bytes > limit) {
      shards.push({ tensors: [tensor], bytes });
    } else {
      last.tensors.push(tensor);
      last.bytes += bytes;
    }
  }
  return shards;
}

/** Bytes of tensors in their types. */
export function bytesOf(tensors: readonly Pick<TensorLocation, 'shape' | 'dtype'>[]): number {
  return tensors.reduce(
    (sum, { shape, dtype }) => sum + elementCount(shape) * BYTES_PER_ELEMENT[dtype],
    0,
  );
}

/** Writes tensors into one safetensors file. */
export async function writeShard(
  file: string,
  tensors: readonly AnyTensor[],
  progress: ExportProgress,
): Promise<void> {
  const streamed = tensors.map((tensor) => ({
    ...tensor,
    pieces: () => piecesOf(tensor, progress),
  }));
  await writeSafetensors(file, streamed, { format: 'pt' }, WEIGHTS_ALIGNMENT);
}

async function* piecesOf(tensor: AnyTensor, progress: ExportProgress): AsyncGenerator<Uint8Array> {
  for await (const bytes of isOfFloats(tensor) ? roundedRows(tensor) : tensor.pieces()) {
    progress(bytes.byteLength);
    yield bytes;
  }
}

async function* roundedRows({ name, dtype, rows }: ModelTensor): AsyncGenerator<Uint8Array> {
  for await (const values of rows()) yield rounded(name, dtype, values);
}
