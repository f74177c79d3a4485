import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { GenerateCall, TextGenerator } from '../../engine/generate/generator.ts';
import { openGenerator } from '../../engine/generate/generator.ts';
import type { Prompt } from '../../engine/generate/prompt.ts';
import { ADAPTER_WEIGHTS_FILE } from '../../engine/lora/adapter.ts';
import { type LoadedAdapter, loadAdapter } from '../../engine/lora/load-adapter.ts';
import { type BaseModel, openBaseModel } from '../../engine/models/base-model.ts';
import { chooseDevice } from '../../engine/runtime/devices.ts';
import { loadTokenizer, type Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import type { Generation, GenerationAnswer, ModelChoice } from '../protocol.ts';

/** Adapters that are kept in memory; those of one comparison fit. */
const KEPT_ADAPTERS = 4;

/** A base model with the adapters that were used last. */
export class LoadedModel {
  readonly #model: BaseModel;
  readonly #tokenizer: Tokenizer;
  readonly #generator: TextGenerator;
  /** By folder and time of its weights: a checkpoint may be written anew. Used last comes last. */
  readonly #adapters = new Map<string, LoadedAdapter>();

  private constructor(model: BaseModel, tokenizer: Tokenizer, generator: TextGenerator) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#generator = generator;
  }

  /**
   * Loads a model.
   *
   * @param onProgress called while weights are made into files of the cache folder
   * @throws LorafaError for anything that is wrong with model or device
   */
  static async open(
    { model: location, device, quantization }: ModelChoice,
    onProgress: (task: string, done: number, total: number) => void,
  ): Promise<LoadedModel> {
    const chosen = await chooseDevice(device);
    const model = await openBaseModel(location, {
      quantization: quantization === null ? undefined : { kind: 'nf4', ...quantization },
      onUnpack: (done, total) => onProgress('unpacking weights', done, total),
      onQuantize: (done, total) => onProgress('quantizing weights', done, total),
    });
    const tokenizer = loadTokenizer(model.tokenizer, model.config);
    const generator = await openGenerator(model, tokenizer, { device: chosen });
    return new LoadedModel(model, tokenizer, generator);
  }

  /**
   * Lets the model write.
   *
   * @throws LorafaError for anything that is wrong with adapter, prompt or options
   */
  async generate(
    { adapter, prompt, options }: Omit<Generation, 'id'>,
    signal: AbortSignal,
    onPiece: (text: string) => void,
  ): Promise<GenerationAnswer> {
    const call: GenerateCall = {
      adapter: adapter === null ? null : await this.#adapter(adapter),
      signal,
    };
    let firstTokenAt: number | undefined;
    const result = await this.#generator.complete(this.#prompt(prompt), options, {
      ...call,
      onToken: ({ text }) => {
        firstTokenAt ??= performance.now();
        if (text !== '') onPiece(text);
      },
    });
    const generatedTokens = result.tokenIds.length;
    const seconds = (performance.now() - (firstTokenAt ?? 0)) / 1000;
    return {
      text: result.text,
      generatedTokens,
      promptTokens: result.promptTokens,
      finishReason: result.finishReason,
      tokensPerSecond: generatedTokens < 2 ? null : (generatedTokens - 1) / seconds,
    };
  }

  /** The number of tokens of a text, without those that begin or end one. */
  countTokens(text: string): number {
    return this.#tokenizer.encode(text, { addSpecialTokens: false }).length;
  }

  #prompt(prompt: Generation['prompt']): Prompt {
    if (!('turn' in prompt)) return prompt;
    const { turn } = prompt;
    if (this.#tokenizer.chatTemplate === null) return { text: turn };
    return { messages: [{ role: 'user', content: turn }] };
  }

  async #adapter(folder: string): Promise<LoadedAdapter> {
    const weights = path.join(folder, ADAPTER_WEIGHTS_FILE);
    // What is wrong with a file that is missing is told by loading it.
    const time = await stat(weights).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    const key = `${time} ${folder}`;
    const adapter = this.#adapters.get(key) ?? (await loadAdapter(folder, this.#model.config));
    this.#adapters.delete(key);
    this.#adapters.set(key, adapter);
    const [oldest] = this.#adapters.keys();
    if (this.#adapters.size > KEPT_ADAPTERS) this.#adapters.delete(oldest!);
    return adapter;
  }
}
