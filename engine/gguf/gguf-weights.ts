import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { float32ToFloat16 } from '../formats/float16.ts';
import type { TensorToWrite } from '../formats/safetensors-writer.ts';
import { readTensorRaw, streamTensor } from '../formats/tensor-data.ts';
import { elementCount, type TensorDtype, type TensorLocation } from '../formats/tensor-location.ts';
import { BLOCK_FORMATS } from './dequantize/formats.ts';
import type { GgufFile } from './gguf.ts';
import type { GgufTensor } from './gguf-part.ts';

const WHOLE_MODEL: ReadonlyMap<string, string> = new Map([
  ['token_embd', 'model.embed_tokens'],
  ['output_norm', 'model.norm'],
  ['output', 'lm_head'],
]);
const IN_LAYER: ReadonlyMap<string, string> = new Map([
  ['attn_norm', 'input_layernorm'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_q_norm', 'self_attn.q_norm'],
  ['attn_k_norm', 'self_attn.k_norm'],
  ['attn_output', 'self_attn.o_proj'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
]);

/** Hugging Face's name of a GGUF tensor; undefined for one that it does not have. */
export function huggingFaceName(name: string): string | undefined {
  const whole = /^(\w+)\.(weight|bias)$/.exec(name);
  if (whole !== null) {
    const module = WHOLE_MODEL.get(whole[1]!);
    return module && `${module}.${whole[2]}`;
  }
  const inLayer = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name);
  const module = inLayer === null ? undefined : IN_LAYER.get(inLayer[2]!);
  return module && `model.layers.${inLayer![1]}.${module}.${inLayer![3]}`;
}

/**
 * How many heads' rows of a tensor are interleaved, or 0. Files of the architecture "llama" hold
 * q_proj and k_proj for rotary embeddings of neighbouring pairs: in each head, row 2j + t is the
 * row t · headDim / 2 + j of Hugging Face's "rotate half" order (llama.cpp `LlamaModel.permute`).
 */
function interleavedHeads(name: string, config: DecoderConfig): number {
  if (config.family !== 'llama') return 0;
  if (/\.q_proj\.(weight|bias)$/.test(name)) return config.numHeads;
  if (/\.k_proj\.(weight|bias)$/.test(name)) return config.numKeyValueHeads;
  return 0;
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
  const locations = new Map<string, TensorLocation>();
  for (const tensor of gguf.tensors.values()) {
    const name = huggingFaceName(tensor.name);
    if (name === undefined) continue;
    const dtype = plainDtype(tensor);
    if (dtype === null || interleavedHeads(name, config) > 0) return null;
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
  const tensors: TensorToWrite[] = [];
  for (const tensor of gguf.tensors.values()) {
    const name = huggingFaceName(tensor.name);
    if (name === undefined) continue;
    const { shape } = tensor;
    const interleaved = interleavedHeads(name, config) > 0;
    const rowAt = (row: number) => (interleaved ? huggingFaceRow(row, config.headDim) : row);
    const plain = plainDtype(tensor);
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
