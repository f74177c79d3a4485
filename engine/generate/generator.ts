import type { DecoderConfig } from '../architectures/decoder-config.ts';
import type { BaseModel } from '../models/base-model.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { StreamDecoder } from '../tokenizer/stream-decoder.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { generateTokens } from './generate-tokens.ts';
import { type GivenGenerationOptions, resolveGenerationOptions } from './generation-options.ts';
import { GenerationSessions, type RuntimeAdapter } from './generation-sessions.ts';
import { encodePrompt, type Prompt } from './prompt.ts';
import { StopStrings } from './stop-strings.ts';

/**
 * Why a generation ended: an end token, `max_new_tokens` or the model's context reached, aborted by
 * its signal, or a stop string.
 */
export type FinishReason = 'stop' | 'length' | 'abort' | 'stop_string';

/** One generated token and the text that can be shown since; often one word, sometimes empty. */
export interface GeneratedPiece {
  readonly token: number;
  readonly text: string;
}

/** A whole generation. */
export interface GenerationResult {
  /** The texts of all pieces joined: without special tokens and without the stop string. */
  readonly text: string;
  /** The generated tokens, the end token included. */
  readonly tokenIds: readonly number[];
  /** Number of tokens of the prompt. */
  readonly promptTokens: number;
  readonly finishReason: FinishReason;
}

/** What may differ from call to call besides the options. */
export interface GenerateCall {
  /** Applied on top of the base; null and left out mean the base alone. */
  readonly adapter?: RuntimeAdapter | null | undefined;
  /** The tokenizer with the chat template of the adapter, where it brings one. */
  readonly tokenizer?: Tokenizer | undefined;
  /** Looked at between tokens. */
  readonly signal?: AbortSignal | undefined;
}

/** How to open a generator. */
export interface GeneratorOptions extends Pick<SessionOptions, 'device' | 'threads'> {
  /**
   * Whose structure the first graph is made for, so that the first call need not make it. Where graphs are made for numbers
   * of tokens, it is that of a single one, and those of the pieces of a prompt are made when a prompt has such pieces.
   */
  readonly adapter?: RuntimeAdapter | null | undefined;
}

/**
 * Loads a base model for generation.
 *
 * @throws LorafaError `device.failed`, `model.unsupported`
 */
export async function openGenerator(
  model: Pick<BaseModel, 'config' | 'weights'>,
  tokenizer: Tokenizer,
  { adapter = null, ...session }: GeneratorOptions = {},
): Promise<TextGenerator> {
  const sessions = new GenerationSessions(model, session);
  (await sessions.sequence(adapter)).release();
  return new TextGenerator(model.config, tokenizer, sessions);
}

/** A base model that continues texts, with another adapter in every call if need be. */
export class TextGenerator {
  readonly #config: DecoderConfig;
  readonly #tokenizer: Tokenizer;
  readonly #sessions: GenerationSessions;

  /** Use {@link openGenerator}. */
  constructor(config: DecoderConfig, tokenizer: Tokenizer, sessions: GenerationSessions) {
    this.#config = config;
    this.#tokenizer = tokenizer;
    this.#sessions = sessions;
  }

  /**
   * Continues a prompt and yields each token as it comes; the result is the generator's return
   * value. Text that may become a stop string or is an unfinished character is held back, and
   * dropped if the signal aborts.
   *
   * @throws LorafaError as {@link resolveGenerationOptions}, `generateTokens`, the tokenizer and the
   * chat template do; `device.failed`.
   */
  async *generate(
    prompt: Prompt,
    options: GivenGenerationOptions = {},
    { adapter = null, tokenizer = this.#tokenizer, signal }: GenerateCall = {},
  ): AsyncGenerator<GeneratedPiece, GenerationResult> {
    const { stop, ...sampling } = resolveGenerationOptions(options);
    const promptIds = encodePrompt(prompt, tokenizer);
    const sequence = await this.#sessions.sequence(adapter);
    const tokens = generateTokens({
      sequence,
      config: this.#config,
      promptIds,
      sampling,
      eosIds: this.#tokenizer.eosIds,
      signal,
    });
    const decoder = new StreamDecoder(this.#tokenizer, { skipSpecialTokens: true });
    // Where a text goes on, a space before its first word belongs to it; an answer begins anew.
    if (!('messages' in prompt)) for (const id of promptIds.slice(-1)) decoder.push(id);
    const stops = new StopStrings(stop);
    const tokenIds: number[] = [];
    let text = '';
    let reason: FinishReason = 'abort';
    try {
      for await (const { token, finishReason } of tokens) {
        tokenIds.push(token);
        let piece = stops.push(decoder.push(token));
        if (finishReason !== null) {
          piece += stops.push(decoder.flush()) + stops.flush();
          reason = finishReason;
        }
        if (stops.found) reason = 'stop_string';
        text += piece;
        yield { token, text: piece };
        if (stops.found) break;
      }
    } finally {
      sequence.release();
    }
    return { text, tokenIds, promptTokens: promptIds.length, finishReason: reason };
  }

  /** Like {@link generate} for callers that want the result; `onToken` sees the pieces. */
  async complete(
    prompt: Prompt,
    options: GivenGenerationOptions = {},
    {
      onToken,
      ...call
    }: GenerateCall & { readonly onToken?: (piece: GeneratedPiece) => void } = {},
  ): Promise<GenerationResult> {
    const pieces = this.generate(prompt, options, call);
    for (;;) {
      const next = await pieces.next();
      if (next.done) return next.value;
      onToken?.(next.value);
    }
  }

  /** Frees the loaded graphs. */
  async release(): Promise<void> {
    await this.#sessions.release();
  }
}
