import { LorafaError } from '../errors.ts';
import type { JsonObject } from '../json-file.ts';
import type { TokenizerFiles } from '../tokenizer/tokenizer-files.ts';
import type { GgufFile } from './gguf.ts';
import { GgufMetadata } from './gguf-metadata.ts';
import { byteLevelBpe } from './gguf-tokenizer-bpe.ts';
import { sentencePieceBpe } from './gguf-tokenizer-spm.ts';

/** Values of `tokenizer.ggml.token_type` (llama.cpp `llama_token_type`). */
export const TOKEN_TYPES = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

/** The vocabulary of a GGUF file, checked. */
export interface GgufVocabulary {
  readonly metadata: GgufMetadata;
  /** Token texts; the index is the id. */
  readonly tokens: readonly string[];
  readonly vocab: Readonly<Record<string, number>>;
  /** Makes the `model.tokenizer` error for this file. */
  readonly fail: (cause: string) => LorafaError;
}

/** The parts of a `tokenizer.json` that depend on the kind of tokenizer. */
export interface TokenizerPipeline {
  readonly normalizer: JsonObject | null;
  readonly preTokenizer: JsonObject | null;
  readonly decoder: JsonObject;
  readonly model: JsonObject;
  /** Whether a text begins with the BOS token when the file does not say. */
  readonly addsBosByDefault: boolean;
}

/**
 * Makes the tokenizer files of a Hugging Face model from the metadata of a GGUF file.
 *
 * @throws LorafaError `model.tokenizer` for a kind of tokenizer that is not known or a vocabulary
 * that is not consistent.
 */
export function ggufTokenizer(gguf: GgufFile): TokenizerFiles {
  const vocabulary = readVocabulary(gguf);
  const { metadata, tokens, fail } = vocabulary;
  const pipeline = pipelineOf(vocabulary);
  const idOf = (name: string): number | null => {
    const id = metadata.number(`tokenizer.ggml.${name}_token_id`) ?? null;
    if (id !== null && tokens[id] === undefined)
      throw fail(`the ${name} token ${id} does not exist`);
    return id;
  };
  const textOf = (id: number | null) => (id === null ? null : tokens[id]!);
  const bos = idOf('bos');
  const eos = idOf('eos');
  const pad = idOf('padding');
  const addBos = metadata.boolean('tokenizer.ggml.add_bos_token') ?? pipeline.addsBosByDefault;
  const addEos = metadata.boolean('tokenizer.ggml.add_eos_token') ?? false;
  const chatTemplate = metadata.string('tokenizer.chat_template') ?? null;
  const toolTemplate = metadata.string('tokenizer.chat_template.tool_use');
  const ends = [...new Set([eos, idOf('eot')].filter((id) => id !== null))];
  return {
    tokenizerJson: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(vocabulary),
      normalizer: pipeline.normalizer,
      pre_tokenizer: pipeline.preTokenizer,
      post_processor: postProcessor(tokens, addBos ? bos : null, addEos ? eos : null),
      decoder: pipeline.decoder,
      model: pipeline.model,
    },
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      add_bos_token: addBos,
      add_eos_token: addEos,
      bos_token: textOf(bos),
      eos_token: textOf(eos),
      pad_token: textOf(pad),
      unk_token: textOf(idOf('unknown')),
      ...(chatTemplate === null ? {} : { chat_template: chatTemplate }),
    },
    chatTemplate,
    ...(toolTemplate !== undefined && { toolTemplate }),
    generationConfig: { bos_token_id: bos, eos_token_id: ends, pad_token_id: pad },
    source: gguf.path,
  };
}

function readVocabulary(gguf: GgufFile): GgufVocabulary {
  const fail = (cause: string) =>
    new LorafaError('model.tokenizer', `The tokenizer in ${gguf.path} cannot be used: ${cause}.`, {
      location: { file: gguf.path },
    });
  const metadata = new GgufMetadata(gguf);
  const tokens = metadata.strings('tokenizer.ggml.tokens');
  if (tokens === undefined || tokens.length === 0) throw fail('it has no vocabulary');
  // fromEntries, because an assignment to a token named "__proto__" would be lost.
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  return { metadata, tokens, vocab, fail };
}

function pipelineOf(vocabulary: GgufVocabulary): TokenizerPipeline {
  const kind = vocabulary.metadata.string('tokenizer.ggml.model');
  switch (kind) {
    case 'gpt2':
      return byteLevelBpe(vocabulary);
    case 'llama':
      return sentencePieceBpe(vocabulary);
    default:
      throw vocabulary.fail(`the kind "${kind ?? '(none)'}" is not known; known are gpt2, llama`);
  }
}

/** Tokens that are found in a text before anything else looks at it. */
function addedTokens({ metadata, tokens, fail }: GgufVocabulary): JsonObject[] {
  const types = metadata.numbers('tokenizer.ggml.token_type') ?? [];
  if (types.length > tokens.length) throw fail('it has more token types than tokens');
  const isSpecial = (type: number) => type === TOKEN_TYPES.control || type === TOKEN_TYPES.unknown;
  return types.flatMap((type, id) =>
    isSpecial(type) || type === TOKEN_TYPES.userDefined
      ? [
          {
            id,
            content: tokens[id],
            single_word: false,
            lstrip: false,
            rstrip: false,
            normalized: false,
            special: isSpecial(type),
          },
        ]
      : [],
  );
}

/** Adds BOS and EOS around a text, or null when there is nothing to add. */
function postProcessor(
  tokens: readonly string[],
  bos: number | null,
  eos: number | null,
): JsonObject | null {
  const special = (id: number | null) =>
    id === null ? [] : [{ SpecialToken: { id: tokens[id], type_id: 0 } }];
  const used = [...new Set([bos, eos].filter((id) => id !== null))];
  if (used.length === 0) return null;
  const around = (sequence: string) => [
    ...special(bos),
    { Sequence: { id: sequence, type_id: 0 } },
    ...special(eos),
  ];
  return {
    type: 'TemplateProcessing',
    single: around('A'),
    pair: [...around('A'), ...around('B')],
    special_tokens: Object.fromEntries(
      used.map((id) => [tokens[id], { id: tokens[id], ids: [id], tokens: [tokens[id]] }]),
    ),
  };
}
