import type { ResolvedConfig } from '../config/schema.ts';
import { encodePrompt, type Prompt } from '../generate/prompt.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** Tokens of an answer at most: enough to see what is learned, short enough not to hold up the run. */
export const MAX_NEW_TOKENS = 64;

/** A prompt of `training.sample_prompts`, as a person wrote it and as the model is asked. */
export interface SamplePrompt {
  readonly text: string;
  readonly asked: Prompt;
}

/** Prompts go through the chat template as `data.apply_chat_template` says. */
export function samplePrompts(
  texts: readonly string[],
  { apply_chat_template: applies }: Pick<ResolvedConfig['data'], 'apply_chat_template'>,
  { chatTemplate }: Pick<Tokenizer, 'chatTemplate'>,
): readonly SamplePrompt[] {
  const asChat = applies !== false && chatTemplate !== null;
  return texts.map((text) => ({
    text,
    asked: asChat ? { messages: [{ role: 'user', content: text }] } : { text },
  }));
}

/**
 * Tokens of the longest of a run's prompts; undefined without any.
 *
 * @throws LorafaError as `encodePrompt`
 */
export function longestPrompt(
  { training, data }: Pick<ResolvedConfig, 'training' | 'data'>,
  tokenizer: Tokenizer,
): number | undefined {
  if (training.sample_prompts === undefined) return undefined;
  const prompts = samplePrompts(training.sample_prompts, data, tokenizer);
  return Math.max(...prompts.map(({ asked }) => encodePrompt(asked, tokenizer).length));
}
