import type { ResolvedConfig } from '../config/schema.ts';
import { GenerationSessions } from '../generate/generation-sessions.ts';
import { TextGenerator } from '../generate/generator.ts';
import type { BaseModel } from '../models/base-model.ts';
import { MAX_NEW_TOKENS, samplePrompts } from '../plan/sample-prompts.ts';
import type { SessionOptions } from '../runtime/session.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { SampleEvent } from './events.ts';
import type { Trainee } from './trainee.ts';

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
  if (training.sample_prompts === undefined) return undefined;
  const prompts = samplePrompts(training.sample_prompts, data, tokenizer);
  const sessions = new GenerationSessions(model, session);
  const generator = new TextGenerator(model.config, tokenizer, sessions);
  const adapter = { modules: trainee.modules, weights: trainee.tensors };
  return {
    async *answers(signal) {
      for (const { text: prompt, asked } of prompts) {
        const options = { max_new_tokens: MAX_NEW_TOKENS };
        const { text } = await generator.complete(asked, options, { adapter, signal });
        if (signal.aborted) return;
        yield { prompt, text };
      }
    },
    release: () => generator.release(),
  };
}
