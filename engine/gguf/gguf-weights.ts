import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { FAMILIES } from '../architectures/families.ts';
import { type DecoderModule, decoderModules } from '../architectures/modules.ts';
import { float32ToFloat16 } from '../formats/float16.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import { readTensor, readTensorRaw, streamTensor } from '../formats/tensor-data.ts';
import { elementCount, type TensorDtype, type TensorLocation } from '../formats/tensor-location.ts';
import { BLOCK_LAYOUTS, type GgufFile, type GgufTensor } from './gguf.ts';
import { dequantize } from './gguf-dequantize.ts';

/** What a GGUF tensor is to a model. */
interface KnownTensor {
  /** Hugging Face's name: `model.layers.0.self_attn.q_proj.weight` */
  readonly name: string;
  /** How many heads' rows are interleaved, or 0; see {@link GgufConventions.interleavedRows}. */
  readonly interleavedHeads: number;
  /** 1 where the file has it added to the weights of norms. */
  readonly offset: 0 | 1;
}

/** The tensors that a model reads, by their names in a GGUF file. */
function knownTensors(config: DecoderConfig): ReadonlyMap<string, KnownTensor> {
  const { gguf } = FAMILIES.find(({ modelType }) => modelType === config.family)!;
  const known = new Map<string, KnownTensor>();
  for (const module of decoderModules(config)) {
    const { part } = module;
    const heads = gguf?.interleavedRows ? headsOf(config, module) : 0;
    const isNorm = part.kind === 'rms' || part.kind === 'layer';
    const offset = gguf?.addedOne && isNorm ? part.offset : 0;
    for (const kind of ['weight', 'bias']) {
      known.set(`${module.gguf}.${kind}`, {
        name: `${part.name}.${kind}`,
        interleavedHeads: heads,
        offset: kind === 'weight' ? offset : 0,
      });
    }
  }
  return known;
}

/** How many heads' queries or keys a module makes; 0 for any other. */
function headsOf({ layers }: DecoderConfig, { part, layer }: DecoderModule): number {
  if (layer === null) return 0;
  const { projections, numHeads, numKeyValueHeads } = layers[layer]!.attention;
  if ('fused' in projections) return 0;
  if (part === projections.query) return numHeads;
  return part === projections.key ? numKeyValueHeads : 0;
}

/** Where row `row` of an interleaved matrix belongs in Hugging Face's order. */
function huggingFaceRow(row: number, headDim: number): number {
  const inHead = row % headDim;
  return row - inHead + (inHead % 2) * (headDim / 2) + Math.floor(inHead / 2);
}

/**
 * The weights of a GGUF file as they lie, under Hugging Face's names; null when some tensor is
 * quantized or has its rows in another order, so that the file has to be unpacked.
 */
export function ggufWeightsInPlace(
  gguf: GgufFile,
  config: DecoderConfig,
): ReadonlyMap<string, TensorLocation> | null {
  const known = knownTensors(config);
  const locations = new Map<string, TensorLocation>();
  for (const tensor of gguf.tensors.values()) {
    const meant = known.get(tensor.name);
    if (meant === undefined) continue;
    const { name } = meant;
    const dtype = plainDtype(tensor);
    if (dtype === null || meant.interleavedHeads > 0 || meant.offset > 0) return null;
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
 * Quantized vectors, which no converter makes, become float32.
 */
export function unpackGguf(gguf: GgufFile, config: DecoderConfig): TensorToWrite[] {
  const known = knownTensors(config);
  const tensors: TensorToWrite[] = [];
  for (const tensor of gguf.tensors.values()) {
    const meant = known.get(tensor.name);
    if (meant === undefined) continue;
    const { name, interleavedHeads, offset } = meant;
    const { shape } = tensor;
    const headDim = rowCount(tensor) / interleavedHeads;
    const rowAt = (row: number) => (interleavedHeads > 0 ? huggingFaceRow(row, headDim) : row);
    const plain = plainDtype(tensor);
    if (offset > 0 && plain !== null) {
      const location = { ...tensor, dtype: plain };
      const data = async () => (await readTensor(location)).map((weight) => weight - offset);
      tensors.push({ name, dtype: 'F32', shape, data });
      continue;
    }
    const dtype = plain ?? (shape.length > 1 ? 'F16' : 'F32');
    const data = plain
      ? async () => reorderRows(await readTensorRaw(tensor), tensor, rowAt)
      : () => dequantizeRows(tensor, dtype === 'F16', rowAt);
    tensors.push({ name, dtype, shape, data });
  }
  return tensors;
}

/** Rows of a matrix, elements of a vector. */
function rowCount(tensor: GgufTensor): number {
  return tensor.shape[0] ?? 1;
}

function reorderRows(
  bytes: Uint8Array,
  tensor: GgufTensor,
  rowAt: (row: number) => number,
): Uint8Array {
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
  rowAt: (row: number) => number,
): Promise<Uint8Array> {
  const { type, shape } = tensor;
  const width = shape.at(-1) ?? 1;
  const { elements, bytes } = BLOCK_LAYOUTS[type];
  const rowBytes = (width / elements) * bytes;
  const output = new (toFloat16 ? Uint16Array : Float32Array)(elementCount(shape));
  let row = 0;
  for await (const chunk of streamTensor(tensor, rowBytes)) {
    const values = new Float32Array((chunk.byteLength / rowBytes) * width);
    dequantize(type, chunk, values);
    const encoded = toFloat16 ? float32ToFloat16(values) : values;
    for (let at = 0; at < encoded.length; at += width, row++) {
      output.set(encoded.subarray(at, at + width), rowAt(row) * width);
    }
  }
  return new Uint8Array(output.buffer);
}
