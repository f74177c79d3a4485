import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { LorafaError } from '../errors.ts';
import type { JsonObject } from '../json-file.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { ONNX_TENSORS } from './onnx-decoder.ts';
import { genaiReadsAgain } from './onnx-notes.ts';

/** What a `generation_config.json` says of the choice of tokens, under the same names here. */
const SEARCH_KEYS = ['do_sample', 'repetition_penalty', 'temperature', 'top_k', 'top_p'] as const;

/** What the configuration of a decoder is made from. */
export interface GenaiModel {
  readonly config: DecoderConfig;
  readonly tokenizer: Pick<Tokenizer, 'eosIds'>;
  readonly generationConfig: JsonObject | null;
  /** Path of the graph in the folder, with slashes. */
  readonly filename: string;
}

/**
 * `genai_config.json`, by which ONNX Runtime GenAI loads a folder (its `builders/base.py` writes the same keys).
 *
 * @throws LorafaError `model.unsupported` where layers have caches of different shapes, for which it has no place
 */
export function genaiConfig({
  config,
  tokenizer,
  generationConfig,
  filename,
}: GenaiModel): JsonObject {
  const { numHeads, numKeyValueHeads, headDim } = evenAttention(config);
  const pattern = '%d';
  const { bosTokenId, padTokenId, vocabSize, maxPositionEmbeddings } = config;
  const search = SEARCH_KEYS.flatMap((key) => {
    const value = generationConfig?.[key];
    return typeof value === 'number' || typeof value === 'boolean' ? [[key, value]] : [];
  });
  return {
    model: {
      ...(bosTokenId !== null && { bos_token_id: bosTokenId }),
      eos_token_id: [...tokenizer.eosIds],
      pad_token_id: padTokenId ?? tokenizer.eosIds[0]!,
      context_length: maxPositionEmbeddings,
      // Any decoder; but for its name, Phi 3's texts are read again where they become long.
      type: genaiReadsAgain(config) ? 'phi3' : 'decoder',
      vocab_size: vocabSize,
      decoder: {
        filename,
        session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
        head_size: headDim,
        hidden_size: config.hiddenSize,
        num_attention_heads: numHeads,
        num_hidden_layers: config.layers.length,
        num_key_value_heads: numKeyValueHeads,
        inputs: {
          input_ids: ONNX_TENSORS.inputIds,
          attention_mask: ONNX_TENSORS.attentionMask,
          position_ids: ONNX_TENSORS.positionIds,
          past_key_names: ONNX_TENSORS.pastKey(pattern),
          past_value_names: ONNX_TENSORS.pastValue(pattern),
        },
        outputs: {
          logits: ONNX_TENSORS.logits,
          present_key_names: ONNX_TENSORS.presentKey(pattern),
          present_value_names: ONNX_TENSORS.presentValue(pattern),
        },
      },
    },
    search: {
      ...Object.fromEntries(search),
      max_length: maxPositionEmbeddings,
      // A cache that is given grows by what is new.
      past_present_share_buffer: false,
    },
  };
}

type CacheShape = DecoderConfig['layers'][number]['attention'];

function evenAttention({ layers }: DecoderConfig): CacheShape {
  const first = layers[0]!.attention;
  for (const { name, attention } of layers) {
    const isEven =
      attention.numKeyValueHeads === first.numKeyValueHeads && attention.headDim === first.headDim;
    if (isEven) continue;
    const shape = ({ numKeyValueHeads, headDim }: CacheShape): string =>
      `${numKeyValueHeads} heads of ${headDim}`;
    throw new LorafaError(
      'model.unsupported',
      `The cache of ${name} holds ${shape(attention)} where that of ${layers[0]!.name} holds ${shape(first)}, and genai_config.json has one shape for all; export the model as merged or gguf.`,
    );
  }
  return first;
}
