import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { type GgufValue, uint32 } from '../architectures/gguf-conventions.ts';
import { LorafaError } from '../errors.ts';
import { isJsonObject, type JsonObject } from '../json-file.ts';
import { loadTokenizer } from '../tokenizer/tokenizer.ts';
import type { TokenizerFiles } from '../tokenizer/tokenizer-files.ts';
import { TOKEN_TYPES } from './gguf-tokenizer.ts';
import { preTokenizerName } from './gguf-tokenizer-bpe.ts';
import { SPACE } from './gguf-tokenizer-spm.ts';

/** A token that is found in a text before anything else looks at it. */
interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

/** What a `tokenizer.json` says of its vocabulary, checked. */
interface Vocabulary {
  readonly files: TokenizerFiles;
  readonly model: JsonObject;
  /** Texts by ids; undefined for ids that no token has. */
  readonly texts: readonly (string | undefined)[];
  readonly added: ReadonlyMap<number, AddedToken>;
  readonly fail: (cause: string) => LorafaError;
}

/**
 * A tokenizer as llama.cpp reads it from a GGUF file, in the metadata under `tokenizer.`: what
 * `ggufTokenizer` reads, in the other direction.
 *
 * @throws LorafaError `model.tokenizer` for a kind of tokenizer that llama.cpp is not told of here
 */
export function ggufVocabulary(
  files: TokenizerFiles,
  config: DecoderConfig,
): Map<string, GgufValue> {
  const vocabulary = readVocabulary(files, config);
  const { model, fail } = vocabulary;
  if (model['type'] !== 'BPE') {
    throw fail(`it is of the kind ${JSON.stringify(model['type'] ?? null)}, and only BPE is known`);
  }
  const kind = model['byte_fallback'] === true ? sentencePiece(vocabulary) : byteLevel(vocabulary);
  const entries = { ...kind, ...specialEntries(vocabulary, config) };
  return new Map([
    ...Object.entries(entries).map(([key, value]): [string, GgufValue] => [
      `tokenizer.ggml.${key}`,
      value,
    ]),
    ...chatTemplateEntry(files),
  ]);
}

/** The template of a tokenizer, under its key. */
export function chatTemplateEntry({ chatTemplate }: TokenizerFiles): [string, GgufValue][] {
  return chatTemplate === null ? [] : [['tokenizer.chat_template', chatTemplate]];
}

function readVocabulary(files: TokenizerFiles, { vocabSize }: DecoderConfig): Vocabulary {
  const fail = (cause: string): LorafaError =>
    new LorafaError(
      'model.tokenizer',
      `The tokenizer of ${files.source} cannot be written into a GGUF file: ${cause}; export the model as a merged Hugging Face folder instead.`,
      { location: { file: files.source } },
    );
  const { model, added_tokens: list = [] } = files.tokenizerJson;
  if (!isJsonObject(model) || !isJsonObject(model['vocab'])) {
    throw fail('it has no vocabulary of texts and ids');
  }
  const added = (list as JsonObject[]).map(({ id, content, special }) => ({
    id: Number(id),
    content: String(content),
    special: special === true,
  }));
  const texts: (string | undefined)[] = Array.from({ length: vocabSize });
  const named = [
    ...Object.entries(model['vocab']).map(([text, id]) => ({ content: text, id: Number(id) })),
    ...added,
  ];
  for (const { content, id } of named) {
    if (!(id >= 0 && id < vocabSize)) {
      throw fail(
        `the token ${JSON.stringify(content)} has the id ${id}, and the model knows ${vocabSize} tokens`,
      );
    }
    texts[id] = content;
  }
  return { files, model, texts, added: new Map(added.map((token) => [token.id, token])), fail };
}

/** Byte-level BPE: `tokenizer.ggml.model` "gpt2". */
function byteLevel({ files, model, texts, added, fail }: Vocabulary): Record<string, GgufValue> {
  const pre = preTokenizerName(files.tokenizerJson);
  if (pre === undefined) {
    throw fail('it cuts texts into words in a way that no name of llama.cpp stands for');
  }
  const types = texts.map((text, id) => {
    if (text === undefined) return TOKEN_TYPES.unused;
    const token = added.get(id);
    return token === undefined ? TOKEN_TYPES.normal : addedType(token);
  });
  return {
    model: 'gpt2',
    pre,
    ...tokenEntries(texts, types),
    merges: {
      type: 'strings',
      value: mergesOf(model).map((pair) => pair.map(withoutSpaces).join(' ')),
    },
  };
}

/** SentencePiece's BPE with byte fallback: `tokenizer.ggml.model` "llama". */
function sentencePiece({ files, model, texts, added }: Vocabulary): Record<string, GgufValue> {
  const types = texts.map((text, id) => {
    if (text === undefined) return TOKEN_TYPES.unused;
    const token = added.get(id);
    if (token !== undefined) return addedType(token);
    return /^<0x[\dA-Fa-f]{2}>$/.test(text) ? TOKEN_TYPES.byte : TOKEN_TYPES.normal;
  });
  return {
    model: 'llama',
    pre: 'default',
    ...tokenEntries(texts, types),
    scores: { type: 'float32s', value: scoresOf(texts, mergesOf(model)) },
    add_space_prefix: hasSpacePrefix(files.tokenizerJson),
  };
}

function tokenEntries(
  texts: readonly (string | undefined)[],
  types: readonly number[],
): Record<string, GgufValue> {
  const tokens = texts.map((text, id) => {
    if (text === undefined) return `[PAD${id}]`;
    // Texts of a person are looked for as a person writes them.
    return types[id] === TOKEN_TYPES.userDefined ? text.replaceAll(SPACE, ' ') : text;
  });
  return {
    tokens: { type: 'strings', value: tokens },
    token_type: { type: 'int32s', value: types },
  };
}

/** Some models forget to mark what steers them as special; llama.cpp would show it to people. */
const LOOKS_SPECIAL = /^(<pad>|<mask>|<2mass>|\[@BOS@\]|<\|.*\|>|<｜.*｜>|<unused.*>)$/s;

function addedType({ special, content }: AddedToken): number {
  return special || LOOKS_SPECIAL.test(content) ? TOKEN_TYPES.control : TOKEN_TYPES.userDefined;
}

/** Pairs of pieces, in the order in which they are joined. Older files have them as one text. */
function mergesOf(model: JsonObject): [string, string][] {
  return ((model['merges'] ?? []) as (string | [string, string])[]).map((merge) =>
    typeof merge === 'string' ? (merge.split(' ') as [string, string]) : merge,
  );
}

/** A space inside a piece, in the alphabet of byte-level BPE. */
function withoutSpaces(piece: string): string {
  return piece.replaceAll(' ', String.fromCharCode(' '.charCodeAt(0) + 256));
}

/**
 * Scores that make SentencePiece join pieces in the order of the merges: it always takes the two
 * neighbours whose joint piece has the highest score.
 */
function scoresOf(
  texts: readonly (string | undefined)[],
  merges: readonly [string, string][],
): number[] {
  const ranks = new Map<string, number>();
  for (const [rank, pair] of merges.entries()) {
    const joint = pair.join('');
    if (!ranks.has(joint)) ranks.set(joint, rank);
  }
  return texts.map((text) => 0 - (ranks.get(text ?? '') ?? merges.length));
}

/** Whether a space is put before a text. */
function hasSpacePrefix({ normalizer, pre_tokenizer }: JsonObject): boolean {
  const written = JSON.stringify([normalizer ?? null, pre_tokenizer ?? null]);
  return /"type":"Prepend"|"prepend_scheme":"(first|always)"|"add_prefix_space":true/.test(written);
}

/** Keys of tokens with a meaning, by their names in `tokenizer_config.json`. */
const SPECIAL_KEYS = {
  bos: 'bos_token_id',
  eos: 'eos_token_id',
  unk: 'unknown_token_id',
  // As llama.cpp writes it.
  sep: 'seperator_token_id',
  pad: 'padding_token_id',
  mask: 'mask_token_id',
} as const;

function specialEntries(
  { files, added, texts }: Vocabulary,
  config: DecoderConfig,
): Record<string, GgufValue> {
  const { tokenizerConfig } = files;
  const named = (name: string): number | undefined => {
    const given = tokenizerConfig[`${name}_token`];
    const text = isJsonObject(given) ? given['content'] : given;
    return [...added.values()].find(({ content }) => content === text)?.id;
  };
  const byConfig: Readonly<Record<string, number | null | undefined>> = {
    bos: config.bosTokenId,
    eos: config.eosTokenIds[0],
    pad: config.padTokenId,
  };
  const ids = Object.entries(SPECIAL_KEYS).flatMap(([name, key]): [string, GgufValue][] => {
    const id = named(name) ?? byConfig[name];
    return id == null || texts[id] === undefined ? [] : [[key, uint32(id)]];
  });
  return {
    ...Object.fromEntries(ids),
    add_bos_token: loadTokenizer(files, config).bosId !== null,
    add_eos_token: tokenizerConfig['add_eos_token'] === true,
  };
}
