import type { ResolvedConfig } from '../config/schema.ts';
import { GenerationSessions } from '../generate/generation-sessions.ts';
import { type Prompt, TextGenerator } from '../generate/generator.ts';
import type { BaseModel } from '../models/base-model.ts';
import type { SessionOptions } from '../runtime/session.ts';
import type { Tokenizer } from '../tokenizer.ts';
import type { SampleEvent } from './events.ts';
import type { Trainee } from './trainee.ts';

/** Tokens of an answer at most: enough to see what is learned, short enough not to hold up the run. */
const MAX_NEW_TOKENS = 64;

/** Answers a run's prompts with the adapter as it is at the moment. */
export interface Sampler {
  /** Ends with the signal, without the answer that is not complete. */
  answers(signal: AbortSignal): AsyncGenerator<Pick<SampleEvent, 'prompt' | 'text'>>;
  release(): Promise<void>;
}

/** What a sampler reads while the run goes on. */
export interface SamplerParts {
  readonly model: BaseModel;
  readonly tokenizer: Tokenizer;
  readonly trainee: Pick<Trainee, 'modules' | 'tensors'>;
  readonly session: SessionOptions;
}

/** The sampler for `training.sample_prompts`; undefined without any. */
export function createSampler(
  { training, data }: Pick<ResolvedConfig, 'training' | 'data'>,
  { model, tokenizer, trainee, session }: SamplerParts,
): Sampler | undefined {
  const prompts = training.sample_prompts;
  if (prompts === undefined) return undefined;
  const sessions = new GenerationSessions(model, session);
  const generator = new TextGenerator(model.config, tokenizer, sessions);
  const adapter = { modules: trainee.modules, weights: trainee.tensors };
  const asChat = data.apply_chat_template !== false && tokenizer.chatTemplate !== null;
  const promptOf = (text: string): Prompt =>
    asChat ? { messages: [{ role: 'user', content: text }] } : { text };
  return {
    async *answers(signal) {
      for (const prompt of prompts) {
        const options = { max_new_tokens: MAX_NEW_TOKENS };
        const { text } = await generator.complete(promptOf(prompt), options, { adapter, signal });
        if (signal.aborted) return;
        yield { prompt, text };
      }
    },
    release: () => generator.release(),
  };
}
