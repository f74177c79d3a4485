import { GGMLQuantizationType } from '@huggingface/gguf';
import { ggufBytes, type MetadataInput, type TensorInput } from '../../../support/gguf-bytes.ts';

const SHAPE: MetadataInput = {
  'general.architecture': 'llama',
  'llama.embedding_length': 32,
  'llama.feed_forward_length': 32,
  'llama.block_count': 1,
  'llama.context_length': 64,
  'llama.attention.head_count': 2,
  'llama.attention.head_count_kv': 1,
  'llama.attention.layer_norm_rms_epsilon': 0.00001,
  'llama.rope.freq_base': 10000,
};

const BYTE_LEVEL: MetadataInput = {
  ...SHAPE,
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'smollm',
  'tokenizer.ggml.tokens': ['a', 'b', 'c', 'd', 'ab', 'abc', '<s>', '</s>'],
  'tokenizer.ggml.token_type': [1, 1, 1, 1, 1, 1, 3, 3],
  'tokenizer.ggml.merges': ['a b', 'ab c'],
  'tokenizer.ggml.bos_token_id': 6,
  'tokenizer.ggml.eos_token_id': 7,
  'tokenizer.ggml.add_bos_token': true,
  'tokenizer.chat_template': '{% for message in messages %}{{ message.content }}{% endfor %}',
};

const SENTENCE_PIECE: MetadataInput = {
  ...SHAPE,
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': ['<unk>', '<s>', '</s>', '<0x41>', '▁', 'a', 'b', 'ab'],
  'tokenizer.ggml.scores': [0, 0, 0, 0, -1, -2, -3, -0.5],
  'tokenizer.ggml.token_type': [2, 3, 3, 6, 1, 1, 1, 1],
  'tokenizer.ggml.unknown_token_id': 0,
  'tokenizer.ggml.bos_token_id': 1,
  'tokenizer.ggml.eos_token_id': 2,
};

/** Every tensor of the model, in the types that are read in different ways. */
function tensors(): { readonly infos: readonly TensorInput[]; readonly data: Uint8Array } {
  const { F32, F16, Q8_0, Q4_0, Q4_1, Q5_0 } = GGMLQuantizationType;
  const parts: readonly [string, readonly number[], GGMLQuantizationType, number][] = [
    ['token_embd.weight', [32, 8], Q8_0, 8 * 34],
    ['output_norm.weight', [32], F32, 128],
    ['blk.0.attn_norm.weight', [32], F32, 128],
    ['blk.0.attn_q.weight', [32, 32], Q4_0, 32 * 18],
    ['blk.0.attn_k.weight', [32, 16], Q4_1, 16 * 20],
    ['blk.0.attn_v.weight', [32, 16], F16, 16 * 64],
    ['blk.0.attn_output.weight', [32, 32], Q5_0, 32 * 22],
    ['blk.0.ffn_norm.weight', [32], F32, 128],
    ['blk.0.ffn_gate.weight', [32, 32], Q8_0, 32 * 34],
    ['blk.0.ffn_up.weight', [32, 32], Q8_0, 32 * 34],
    ['blk.0.ffn_down.weight', [32, 32], Q8_0, 32 * 34],
  ];
  let offset = 0;
  const infos = parts.map(([name, dims, type, bytes]): TensorInput => {
    const info = { name, dims, type, offset };
    offset += Math.ceil(bytes / 32) * 32;
    return info;
  });
  return { infos, data: new Uint8Array(offset) };
}

/** The two parts of a model that was split: all but its tensors is in the first. */
export function ggufSplit(): readonly [Uint8Array, Uint8Array] {
  const { infos, data } = tensors();
  const says = { 'split.count': 2, 'split.tensors.count': infos.length };
  const middle = 5;
  const start = infos[middle]!.offset!;
  const later = infos.slice(middle).map((info) => ({ ...info, offset: info.offset! - start }));
  return [
    ggufBytes(
      { ...BYTE_LEVEL, ...says, 'split.no': 0 },
      infos.slice(0, middle),
      data.subarray(0, start),
    ),
    ggufBytes({ ...says, 'split.no': 1 }, later, data.subarray(start)),
  ];
}

/** A GGUF file of each kind of tokenizer. */
export function ggufSeeds(): readonly Uint8Array[] {
  const { infos, data } = tensors();
  return [ggufBytes(BYTE_LEVEL, infos, data), ggufBytes(SENTENCE_PIECE, infos, data)];
}
