import { LorafaError } from '../../engine/errors.ts';
import type { GivenGenerationOptions } from '../../engine/generate/generation-options.ts';
import type { Prompt } from '../../engine/generate/prompt.ts';

/** Flags of `lorafa generate` that decide how a text is continued. */
export interface GenerationFlags {
  readonly chat?: true;
  readonly raw?: true;
  readonly maxNewTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly repetitionPenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
}

/** The flags under the names of the engine, which checks their ranges. */
export function generationOptions(flags: GenerationFlags): GivenGenerationOptions {
  return {
    max_new_tokens: flags.maxNewTokens,
    temperature: flags.temperature,
    top_p: flags.topP,
    top_k: flags.topK,
    repetition_penalty: flags.repetitionPenalty,
    seed: flags.seed,
    stop: flags.stop,
  };
}

/**
 * The prompt as a user turn or as plain text; without a flag as a turn where the model has a chat
 * template.
 *
 * @throws LorafaError `usage.invalid` when both flags are given
 */
export function toPrompt(text: string, hasTemplate: boolean, flags: GenerationFlags): Prompt {
  if (flags.chat === true && flags.raw === true) {
    throw new LorafaError(
      'usage.invalid',
      '--chat and --raw exclude each other; keep one of them.',
    );
  }
  const isChat = flags.chat ?? (flags.raw !== true && hasTemplate);
  return isChat ? { messages: [{ role: 'user', content: text }] } : { text };
}
