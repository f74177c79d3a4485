import type {
  AttentionPart,
  DecoderConfig,
  LinearPart,
  Part,
} from '../architectures/decoder-config.ts';
import { FAMILIES } from '../architectures/families.ts';
import type { GgufConventions } from '../architectures/gguf-conventions.ts';
import { decoderModules } from '../architectures/modules.ts';
import type { TensorInBlocks } from '../formats/blockwise.ts';
import { float32ToFloat16 } from '../formats/float16.ts';
import { readTensor, readTensorRaw, streamTensor } from '../formats/tensor-data.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  type TensorDtype,
  type TensorLocation,
} from '../formats/tensor-location.ts';
import { transposed } from '../formats/transposed.ts';
import { blockwiseTensors } from './blockwise-tensors.ts';
import { BLOCK_FORMATS } from './dequantize/formats.ts';
import type { GgufFile } from './gguf.ts';
import type { GgufTensor } from './gguf-part.ts';

/** Where a row of a file belongs in Hugging Face's order. */
export type RowOrder = (row: number) => number;

/** Rows of a matrix, from one on. */
export interface RowRange {
  readonly start: number;
  readonly count: number;
}

/** What a GGUF tensor is to a model. */
export interface KnownTensor {
  /** Hugging Face's name: `model.layers.0.self_attn.q_proj.weight` */
  readonly name: string;
  /** Absent where rows lie as Hugging Face has them. */
  readonly rowOrder?: RowOrder | undefined;
  /** Which rows of it there are, where others are another tensor: only of models that are written. Absent for all. */
  readonly rows?: RowRange | undefined;
  /** What the file has added to the weight of a norm. */
  readonly offset: 0 | 1;
  /** Whether it is a matrix that Hugging Face has the other way, `[in, out]`. */
  readonly fanInFanOut: boolean;
}

/**
 * The tensors that a model may have, in the order of the forward pass, by their names in a GGUF file: those of
 * all experts share one.
 */
export function knownTensors(config: DecoderConfig): ReadonlyMap<string, readonly KnownTensor[]> {
  const { gguf } = FAMILIES.find(({ modelType }) => modelType === config.family)!;
  const known = new Map<string, KnownTensor[]>();
  const add = (name: string, tensor: KnownTensor): void => {
    const stacked = known.get(name);
    if (stacked === undefined) known.set(name, [tensor]);
    else stacked.push(tensor);
  };
  for (const { part, layer, gguf: name } of decoderModules(config)) {
    const attention = layer === null ? undefined : config.layers[layer]!.attention;
    const rowOrder = attention && rowOrderOf(gguf, attention, part);
    const isNorm = part.kind === 'rms' || part.kind === 'layer';
    const offset = gguf?.addedOne && isNorm ? part.offset : 0;
    const fanInFanOut = part.kind === 'linear' && part.fanInFanOut;
    const mlp = layer === null ? undefined : config.layers[layer]!.mlp;
    const isApart = gguf?.gateUpApart && mlp?.kind === 'fused-gated' && part === mlp.gateUp;
    const places = isApart ? halvesOf(mlp.gateUp, layer!) : [{ name, rows: undefined }];
    for (const { name: place, rows } of places) {
      const [weight, bias] = [`${part.name}.weight`, `${part.name}.bias`];
      add(`${place}.weight`, { name: weight, rowOrder, rows, offset, fanInFanOut });
      add(`${place}.bias`, { name: bias, rowOrder, rows, offset: 0, fanInFanOut: false });
    }
  }
  return known;
}

/** Gate and up of one linear layer. */
function halvesOf({ outFeatures }: LinearPart, layer: number) {
  const count = outFeatures / 2;
  return ['ffn_gate', 'ffn_up'].map((name, half) => ({
    name: `blk.${layer}.${name}`,
    rows: { start: half * count, count },
  }));
}

function rowOrderOf(
  gguf: GgufConventions | null,
  { projections, headDim, numHeads }: AttentionPart,
  part: Part,
): RowOrder | undefined {
  if ('fused' in projections) {
    const isOther = gguf?.fusedByKind && part === projections.fused;
    return isOther ? (row) => byHead(row, numHeads, headDim) : undefined;
  }
  const isTurned = part === projections.query || part === projections.key;
  return gguf?.interleavedRows && isTurned ? (row) => rotateHalf(row, headDim) : undefined;
}

/** Tensors of a file that a model reads, each with what it is; of those that are stacked, each apart. */
function* tensorsOf(
  gguf: GgufFile,
  config: DecoderConfig,
): Generator<{ readonly tensor: GgufTensor; readonly meant: KnownTensor }> {
  const known = knownTensors(config);
  for (const tensor of gguf.tensors.values()) {
    const all = known.get(tensor.name) ?? [];
    const { shape } = tensor;
    const isStack = all.length > 1 && shape[0] === all.length;
    const length = tensor.length / all.length;
    for (const [index, meant] of all.entries()) {
      const slice = { shape: shape.slice(1), offset: tensor.offset + index * length, length };
      yield { tensor: isStack ? { ...tensor, ...slice } : tensor, meant };
    }
  }
}

/** From neighbouring pairs of features to pairs that lie half a head apart. */
function rotateHalf(row: number, headDim: number): number {
  const inHead = row % headDim;
  return row - inHead + (inHead % 2) * (headDim / 2) + Math.floor(inHead / 2);
}

/** From all queries, all keys, all values to those of one head after each other. */
function byHead(row: number, numHeads: number, headDim: number): number {
  const kind = Math.floor(row / (numHeads * headDim));
  const head = Math.floor(row / headDim) % numHeads;
  return (3 * head + kind) * headDim + (row % headDim);
}

/**
 * The weights of a GGUF file as they lie, under Hugging Face's names; null when some tensor is
 * quantized or lies in another order, so that the file has to be unpacked.
 */
export function ggufWeightsInPlace(
  gguf: GgufFile,
  config: DecoderConfig,
): ReadonlyMap<string, TensorLocation> | null {
  const locations = new Map<string, TensorLocation>();
  for (const { tensor, meant } of tensorsOf(gguf, config)) {
    const { name, rowOrder, offset: added, fanInFanOut } = meant;
    const dtype = plainDtype(tensor);
    if (dtype === null || rowOrder !== undefined || added > 0 || fanInFanOut) return null;
    const { shape, file, offset, length } = tensor;
    locations.set(name, { name, dtype, shape, file, offset, length });
  }
  return locations;
}

function plainDtype({ type }: GgufTensor): TensorDtype | null {
  return type === 'F32' || type === 'F16' || type === 'BF16' ? type : null;
}

/**
 * The weights of a GGUF file unpacked, under Hugging Face's names and in its row order, each made
 * when it is written. Tensors that are not quantized keep their bytes. Quantized matrices become
 * float16: its relative rounding error of at most 2^-11 is far below that of the formats (steps of
 * 2^-8 of a block's range for Q8_0, 2^-4 for Q4_0), and it needs half the space of float32.
 * Quantized vectors, which no converter makes, become float32. Matrices can be had in their blocks as well.
 *
 * @param unpacked what quantized matrices become instead, where numbers beyond float16 matter
 */
export function unpackGguf(
  gguf: GgufFile,
  config: DecoderConfig,
  unpacked: 'F16' | 'F32' = 'F16',
): TensorInBlocks[] {
  const tensors: TensorInBlocks[] = [];
  for (const { tensor, meant } of tensorsOf(gguf, config)) {
    const { name, offset, rowOrder: rowAt = (row) => row } = meant;
    const { shape } = tensor;
    const plain = plainDtype(tensor);
    if (offset > 0 && plain !== null) {
      const location = { ...tensor, dtype: plain };
      const data = async () => (await readTensor(location)).map((weight) => weight - offset);
      tensors.push({ name, dtype: 'F32', shape, data });
      continue;
    }
    const dtype = plain ?? (shape.length > 1 ? unpacked : 'F32');
    const data = plain
      ? async () => reorderRows(await readTensorRaw(tensor), tensor, rowAt)
      : () => dequantizeRows(tensor, dtype === 'F16', rowAt);
    const inBlocks = blockwiseTensors(tensor, name, rowAt);
    tensors.push(
      meant.fanInFanOut
        ? {
            name,
            dtype,
            shape: shape.toReversed(),
            data: async () => inFirst(await data(), dtype, rowCount(tensor)),
            inBlocks,
          }
        : { name, dtype, shape, data, inBlocks },
    );
  }
  return tensors;
}

/** A matrix `[out, in]` as `[in, out]`. */
function inFirst(bytes: Uint8Array<ArrayBuffer>, dtype: TensorDtype, rows: number): Uint8Array {
  const { buffer, byteOffset, byteLength } = bytes;
  const Elements = BYTES_PER_ELEMENT[dtype] === 2 ? Uint16Array : Uint32Array;
  const matrix = new Elements(buffer, byteOffset, byteLength / Elements.BYTES_PER_ELEMENT);
  return new Uint8Array(transposed(matrix, rows).buffer);
}

/** Rows of a matrix, elements of a vector. */
function rowCount(tensor: GgufTensor): number {
  return tensor.shape[0] ?? 1;
}

function reorderRows(
  bytes: Uint8Array,
  tensor: GgufTensor,
  rowAt: RowOrder,
): Uint8Array<ArrayBuffer> {
  const rows = rowCount(tensor);
  const rowBytes = bytes.byteLength / rows;
  const reordered = new Uint8Array(bytes.byteLength);
  for (let row = 0; row < rows; row++) {
    reordered.set(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), rowAt(row) * rowBytes);
  }
  return reordered;
}

async function dequantizeRows(
  tensor: GgufTensor,
  toFloat16: boolean,
  rowAt: RowOrder,
): Promise<Uint8Array<ArrayBuffer>> {
  const { type, shape } = tensor;
  const width = shape.at(-1) ?? 1;
  const { elements, bytes, dequantize } = BLOCK_FORMATS[type];
  const rowBytes = (width / elements) * bytes;
  const output = new (toFloat16 ? Uint16Array : Float32Array)(elementCount(shape));
  let row = 0;
  let buffer = new Float32Array(0);
  for await (const chunk of streamTensor(tensor, rowBytes)) {
    const count = (chunk.byteLength / rowBytes) * width;
    if (buffer.length < count) buffer = new Float32Array(count);
    const values = buffer.subarray(0, count);
    dequantize(chunk, values);
    for (let at = 0; at < count; at += width, row++) {
      const target = output.subarray(rowAt(row) * width, (rowAt(row) + 1) * width);
      const source = values.subarray(at, at + width);
      if (target instanceof Float32Array) target.set(source);
      else float32ToFloat16(source, target);
    }
  }
  return new Uint8Array(output.buffer);
}
