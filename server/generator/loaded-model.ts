import { stat } from 'node:fs/promises';
import path from 'node:path';
import { KEPT_ADAPTERS } from '../../engine/generate/adapters-on-device.ts';
import { generationDevice } from '../../engine/generate/generation-device.ts';
import { generationQuantization } from '../../engine/generate/generation-quantization.ts';
import type { GenerateCall, TextGenerator } from '../../engine/generate/generator.ts';
import { openGenerator } from '../../engine/generate/generator.ts';
import type { Prompt } from '../../engine/generate/prompt.ts';
import { fetchInput } from '../../engine/inputs/hub-inputs.ts';
import { ADAPTER_WEIGHTS_FILE } from '../../engine/lora/adapter.ts';
import { type LoadedAdapter, loadAdapter } from '../../engine/lora/load-adapter.ts';
import { type BaseModel, openBaseModel } from '../../engine/models/base-model.ts';
import { chooseDevice } from '../../engine/runtime/devices.ts';
import { letThreadsSpin } from '../../engine/runtime/onednn-threads.ts';
import { loadTokenizer, type Tokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { progressText } from '../progress-text.ts';
import type { Generation, GenerationAnswer, ModelChoice } from '../protocol/generation.ts';

/** An adapter, and the tokenizer with the chat template that it was trained with. */
interface KeptAdapter {
  readonly adapter: LoadedAdapter;
  readonly tokenizer: Tokenizer;
}

/** A base model with the adapters that were used last. */
export class LoadedModel {
  readonly #model: BaseModel;
  readonly #tokenizer: Tokenizer;
  readonly #generator: TextGenerator;
  /** By folder and time of its weights: a checkpoint may be written anew. Used last comes last. */
  readonly #adapters = new Map<string, KeptAdapter>();

  private constructor(model: BaseModel, tokenizer: Tokenizer, generator: TextGenerator) {
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#generator = generator;
  }

  /**
   * Loads a model.
   *
   * @param onProgress called while it is downloaded, or weights are made into files of the cache folder
   * @throws LorafaError for anything that is wrong with model, hub or device
   */
  static async open(
    { model: location, device, quantization }: ModelChoice,
    onProgress: (task: string, done: number, total: number) => void,
  ): Promise<LoadedModel> {
    const found = await chooseDevice(device);
    const place = await fetchInput(location, 'model', (state) =>
      onProgress(progressText(state), state.done, state.total),
    );
    const chosen = await generationDevice(device, found, place, quantization);
    const model = await openBaseModel(place, {
      quantization: await generationQuantization(chosen, quantization),
      onUnpack: (done, total) => onProgress('unpacking weights', done, total),
      onQuantize: (done, total) => onProgress('quantizing weights', done, total),
    });
    const tokenizer = loadTokenizer(model.tokenizer, model.config);
    letThreadsSpin();
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
    const kept = adapter === null ? undefined : await this.#adapter(adapter);
    const tokenizer = kept?.tokenizer ?? this.#tokenizer;
    const call: GenerateCall = { adapter: kept?.adapter, tokenizer, signal };
    let firstTokenAt: number | undefined;
    const result = await this.#generator.complete(withTurn(prompt, tokenizer), options, {
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

  async #adapter(folder: string): Promise<KeptAdapter> {
    const weights = path.join(folder, ADAPTER_WEIGHTS_FILE);
    // What is wrong with a file that is missing is told by loading it.
    const time = await stat(weights).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    const key = `${time} ${folder}`;
    const kept = this.#adapters.get(key) ?? (await this.#load(folder));
    this.#adapters.delete(key);
    this.#adapters.set(key, kept);
    const [oldest] = this.#adapters.keys();
    if (this.#adapters.size > KEPT_ADAPTERS) this.#adapters.delete(oldest!);
    return kept;
  }

  async #load(folder: string): Promise<KeptAdapter> {
    const adapter = await loadAdapter(folder, this.#model.config);
    const { chatTemplate } = adapter;
    const tokenizer =
      chatTemplate === undefined ? this.#tokenizer : this.#tokenizer.withChatTemplate(chatTemplate);
    return { adapter, tokenizer };
  }
}

/** A user's turn becomes a conversation where there is a chat template. */
function withTurn(prompt: Generation['prompt'], { chatTemplate }: Tokenizer): Prompt {
  if (!('turn' in prompt)) return prompt;
  const { turn } = prompt;
  return chatTemplate === null ? { text: turn } : { messages: [{ role: 'user', content: turn }] };
}
