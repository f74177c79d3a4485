import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { LorafaError, messageOf } from '../errors.ts';
import type { JsonObject } from '../json-file.ts';
import { secondsFor, TEXT_SECONDS, type TimeLimit, withinTime } from '../time-limit.ts';
import { byteLevelBytes, missingBytes } from './byte-level.ts';
import {
  type ChatMessage,
  ChatTemplate,
  type RenderedChat,
  type RenderOptions,
} from './chat-template.ts';
import { withExactDigits } from './exact-digits.ts';
import type { SpecialTokenIds } from './special-token-ids.ts';
import { type TemplateText, type TokenizerFiles, withTemplate } from './tokenizer-files.ts';
import { boundNormalizer, implausiblePart } from './tokenizer-limits.ts';

/** Put before a text that goes on from another: see {@link Tokenizer.encodeContinuation}. */
const SEPARATOR = '\n';

const utf8 = new TextEncoder();

/** How many times as long as for a short text it may take to read a tokenizer's files. */
const LOADING_FACTOR = 6;

/** How a tokenizer is used, besides what its files say. */
export interface TokenizerOptions {
  /** Seconds that its expressions and its chat template may take for a short text. */
  readonly seconds?: number;
}

/** Text to tokens and back, with the special tokens and the chat template of one model. */
export class Tokenizer {
  /** Stands before every raw text (not before rendered chats), or null where the model wants none. */
  readonly bosId: number | null;
  /** Ends a text: the tokenizer's own `eos_token`, the first of {@link eosIds}. */
  readonly eosId: number;
  /** Every token at which generation stops. */
  readonly eosIds: readonly number[];
  /** Fills batches; the end token where the model names no other. */
  readonly padId: number;
  /** Null when the model came without one. */
  readonly chatTemplate: ChatTemplate | null;
  /** Length in UTF-16 units of the longest token: `n` tokens never stand for more than `n` times this. */
  readonly longestToken: number;
  /** The folder or file it came from, for errors. */
  readonly source: string;
  readonly #toolTemplate: ChatTemplate | null;
  readonly #files: TokenizerFiles;
  readonly #config: SpecialTokenIds;
  readonly #model: HuggingFaceTokenizer;
  readonly #special: ReadonlySet<number>;
  /** Bytes that the library would leave out without a word. */
  readonly #missingBytes: ReadonlySet<number>;
  readonly #addsPrefixSpace: boolean;
  readonly #anchor: readonly number[];
  readonly #seconds: number;

  /**
   * Use {@link loadTokenizer}.
   *
   * @param model that of another tokenizer from the same files
   */
  constructor(
    files: TokenizerFiles,
    config: SpecialTokenIds,
    seconds: number,
    model = openModel(files),
  ) {
    this.source = files.source;
    this.#files = files;
    this.#config = config;
    this.#seconds = seconds;
    this.#model = model;
    const named = (key: string): number | undefined => this.#namedId(files.tokenizerConfig, key);
    const known = (ids: readonly (number | null | undefined)[]): number[] =>
      ids.filter(
        (id): id is number => typeof id === 'number' && this.#model.id_to_token(id) !== undefined,
      );

    const generationEos = [files.generationConfig?.['eos_token_id'] ?? []].flat() as number[];
    this.eosIds = [
      ...new Set(known([named('eos_token'), ...config.eosTokenIds, ...generationEos])),
    ];
    if (this.eosIds[0] === undefined) {
      throw corrupt(files.source, 'it names no end-of-text token (eos_token)');
    }
    this.eosId = this.eosIds[0];
    this.padId = known([named('pad_token'), config.padTokenId, this.eosId])[0]!;
    const bosId = known([named('bos_token'), config.bosTokenId])[0] ?? null;
    this.bosId = bosId !== null && this.#wantsBos(files.tokenizerConfig, bosId) ? bosId : null;

    const added = [...this.#model.get_added_tokens_decoder().values()];
    this.#special = new Set([
      ...added.filter((token) => token.special).map((token) => token.id),
      ...this.eosIds,
      ...known([bosId, named('pad_token')]),
    ]);
    this.longestToken = [...this.#model.get_vocab().keys()].reduce(
      (longest, token) => Math.max(longest, token?.length ?? 0),
      1,
    );
    this.#missingBytes = dropsBytes(files.tokenizerJson)
      ? missingBytes((token) => this.#model.token_to_id(token) !== undefined)
      : new Set();
    this.#anchor = this.#ids('a').slice(-1);
    this.#addsPrefixSpace = !sameIds(this.#ids('a'), this.#encodeAfterSeparator('a') ?? []);
    const specialToken = (key: string, id: number | null): [string, string] => [
      key,
      id === null ? '' : (this.#model.id_to_token(id) ?? ''),
    ];
    const specialTokens = Object.fromEntries([
      specialToken('bos_token', bosId),
      specialToken('eos_token', this.eosId),
      specialToken('pad_token', this.padId),
      specialToken('unk_token', named('unk_token') ?? null),
    ]);
    const templateOf = (text: string): ChatTemplate =>
      new ChatTemplate(text, specialTokens, files.chatTemplateSource ?? files.source, seconds);
    this.chatTemplate = files.chatTemplate === null ? null : templateOf(files.chatTemplate);
    this.#toolTemplate =
      files.toolTemplate === undefined ? this.chatTemplate : templateOf(files.toolTemplate);
  }

  /**
   * The same tokenizer with another chat template.
   *
   * @throws LorafaError `data.chat_template` when it is not valid Jinja
   */
  withChatTemplate(template: TemplateText): Tokenizer {
    const files = withTemplate(this.#files, template);
    return new Tokenizer(files, this.#config, this.#seconds, this.#model);
  }

  /** The template for conversations with or without functions that may be called, as transformers chooses it. */
  chatTemplateFor(tools: RenderOptions['tools']): ChatTemplate | null {
    return tools?.length ? this.#toolTemplate : this.chatTemplate;
  }

  /** How long a text of this many characters may take. */
  limit(characters: number): TimeLimit {
    return timeLimit(this.source, secondsFor(characters, this.#seconds));
  }

  /**
   * The tokens of a text at the start of what the model reads. Text like `<|im_end|>` in it becomes
   * the special token, as in transformers. With `addSpecialTokens`, BOS comes first where the model
   * wants one and the text does not begin with it; EOS is never added.
   *
   * @throws LorafaError `model.tokenizer` when the vocabulary has no token for a part of the text;
   * TimeLimitError of that code when an expression does not come to an end.
   */
  encode(text: string, options: { readonly addSpecialTokens: boolean }): number[] {
    const ids = this.#use(text.length, () => this.#encode(text));
    const needsBos = options.addSpecialTokens && this.bosId !== null && ids[0] !== this.bosId;
    return needsBos ? [this.bosId!, ...ids] : ids;
  }

  /**
   * The tokens of a text that continues another one. SentencePiece tokenizers put a space before a
   * text that they take for a beginning; here there is none that the text does not have itself.
   */
  encodeContinuation(text: string): number[] {
    return this.#use(text.length, () => {
      const ids = this.#addsPrefixSpace ? this.#encodeAfterSeparator(text) : undefined;
      return ids ?? this.#encode(text);
    });
  }

  /** The text of tokens, exactly: no spaces are cleaned up. Ids without a token are left out. */
  decode(ids: readonly number[], options: { readonly skipSpecialTokens: boolean }): string {
    const kept = ids.filter(
      (id) =>
        this.#model.id_to_token(id) !== undefined &&
        !(options.skipSpecialTokens && this.#special.has(id)),
    );
    if (kept.length === 0) return '';
    return this.#use(kept.length, () =>
      this.#model.decode(kept, { clean_up_tokenization_spaces: false }),
    );
  }

  /** One token as it reads inside a text; the bytes, `<0xE2><0x80>`, when it is a part of a character. */
  tokenText(id: number): string {
    const token = this.#model.id_to_token(id);
    if (token === undefined) return `<${id}>`;
    if (this.#special.has(id)) return token;
    const before = this.decode(this.#anchor, { skipSpecialTokens: false });
    const text = this.decode([...this.#anchor, id], { skipSpecialTokens: false });
    if (!text.includes('\uFFFD')) return text.slice(before.length);
    if (/^<0x[\dA-F]{2}>$/.test(token)) return token;
    const bytes = byteLevelBytes(token) ?? [];
    const hex = [...bytes].map((byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    return hex.length > 0 ? hex.join('') : token;
  }

  /** The id of a token that is in the vocabulary as written. */
  tokenId(token: string): number | undefined {
    return this.#model.token_to_id(token);
  }

  /** Control tokens: BOS, EOS, padding, turn markers. */
  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }

  /**
   * A conversation as the text that the model reads; tokenize it with `addSpecialTokens: false`.
   *
   * @throws LorafaError as {@link renderChat}
   */
  applyChatTemplate(messages: readonly ChatMessage[], options: RenderOptions): string {
    return this.renderChat(messages, options).text;
  }

  /**
   * The same, with what the template says that the model writes.
   *
   * @throws LorafaError `data.chat_template` when there is no template or it refuses the turns.
   */
  renderChat(messages: readonly ChatMessage[], options: RenderOptions): RenderedChat {
    const template = this.chatTemplateFor(options.tools);
    if (template === null) {
      throw new LorafaError(
        'data.chat_template',
        `The model in ${this.source} has no chat template; give one in data.chat_template, use a model that was trained for chat, or rows of prompt and completion.`,
        { location: { file: this.source } },
      );
    }
    return template.render(messages, options);
  }

  /** @throws LorafaError `model.tokenizer` for whatever the library does not get done. */
  #use<T>(length: number, task: () => T): T {
    try {
      return withinTime(this.limit(length), task);
    } catch (error) {
      if (error instanceof LorafaError) throw error;
      throw corrupt(this.source, messageOf(error), error);
    }
  }

  /** @throws LorafaError `model.tokenizer` when a part of the text has no token. */
  #encode(text: string): number[] {
    if (this.#missingBytes.size > 0) this.#requireBytes(text);
    return this.#ids(text);
  }

  #ids(text: string): number[] {
    if (text === '') return [];
    const { ids, tokens } = this.#model.encode(text, { add_special_tokens: false });
    const missing = ids.findIndex((id) => !Number.isInteger(id));
    if (missing !== -1) throw noToken(this.source, tokens[missing]!);
    return ids;
  }

  #requireBytes(text: string): void {
    const isMissing = (byte: number): boolean => this.#missingBytes.has(byte);
    if (!utf8.encode(text).some(isMissing)) return;
    const character = [...text].find((each) => utf8.encode(each).some(isMissing));
    throw noToken(this.source, character!);
  }

  /** The tokens of `text` behind a line break, or undefined when the two cannot be told apart. */
  #encodeAfterSeparator(text: string): number[] | undefined {
    const separator = this.#ids(SEPARATOR);
    const ids = this.#ids(SEPARATOR + text);
    const isPrefix = separator.length > 0 && separator.every((id, index) => id === ids[index]);
    return isPrefix ? ids.slice(separator.length) : undefined;
  }

  #namedId(tokenizerConfig: JsonObject, key: string): number | undefined {
    const value = tokenizerConfig[key];
    // Either the text itself or an added token with its flags.
    const text =
      typeof value === 'object' && value !== null && 'content' in value ? value.content : value;
    return typeof text === 'string' ? this.#model.token_to_id(text) : undefined;
  }

  /** `add_bos_token` where it is set, otherwise what the post-processor does. */
  #wantsBos(tokenizerConfig: JsonObject, bosId: number): boolean {
    const setting = tokenizerConfig['add_bos_token'];
    if (typeof setting === 'boolean') return setting;
    return this.#model.encode('a', { add_special_tokens: true }).ids[0] === bosId;
  }
}

/**
 * The tokenizer of a model.
 *
 * @param config the ids that the model's own config names, for what the tokenizer leaves open.
 * @throws LorafaError `model.tokenizer` when the files are damaged, of an unknown kind or name no
 * end token; `data.chat_template` when the template is not valid Jinja.
 */
export function loadTokenizer(
  files: TokenizerFiles,
  config: SpecialTokenIds,
  { seconds = TEXT_SECONDS }: TokenizerOptions = {},
): Tokenizer {
  try {
    return withinTime(
      timeLimit(files.source, LOADING_FACTOR * seconds),
      () => new Tokenizer(files, config, seconds),
    );
  } catch (error) {
    if (error instanceof LorafaError) throw error;
    throw corrupt(files.source, messageOf(error), error);
  }
}

function openModel(files: TokenizerFiles): HuggingFaceTokenizer {
  // The library wants every component named, where the file format lets absent ones be left out.
  const implausible = implausiblePart(files.tokenizerJson);
  if (implausible !== undefined) throw corrupt(files.source, implausible);
  const components = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  const model = new HuggingFaceTokenizer(
    {
      ...components,
      added_tokens: [],
      ...files.tokenizerJson,
      pre_tokenizer: withExactDigits(files.tokenizerJson['pre_tokenizer'] ?? null),
    },
    files.tokenizerConfig,
  );
  boundNormalizer(model.normalizer);
  if (model.get_vocab().size === 0) throw corrupt(files.source, 'its vocabulary is empty');
  return model;
}

function timeLimit(source: string, seconds: number): TimeLimit {
  return {
    seconds,
    code: 'model.tokenizer',
    subject: `The tokenizer of ${source}`,
    advice: "download the model's tokenizer files again",
    file: source,
  };
}

/** Whether bytes without a token vanish: in a byte-level vocabulary without an unknown token. */
function dropsBytes(tokenizerJson: JsonObject): boolean {
  const { pre_tokenizer, model } = tokenizerJson;
  const isByteLevel = JSON.stringify(pre_tokenizer ?? null).includes('"type":"ByteLevel"');
  return isByteLevel && ((model as JsonObject)['unk_token'] ?? null) === null;
}

function corrupt(source: string, reason: string, cause?: unknown): LorafaError {
  return new LorafaError(
    'model.tokenizer',
    `The tokenizer of ${source} cannot be used: ${reason}; download the model's tokenizer files again.`,
    { location: { file: source }, cause },
  );
}

function noToken(source: string, text: string): LorafaError {
  return new LorafaError(
    'model.tokenizer',
    `The tokenizer of ${source} has no token for ${JSON.stringify(text)}; leave such text out or use another model.`,
    { location: { file: source } },
  );
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}
