import type { ChatMessage } from '../tokenizer/chat-template.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';

/** What to go on from: a text, a conversation that the model answers, or tokens as they are. */
export type Prompt =
  | { readonly text: string }
  | { readonly messages: readonly ChatMessage[] }
  | { readonly ids: readonly number[] };

/**
 * The tokens of a prompt, as the model reads them.
 *
 * @throws LorafaError as the tokenizer and its chat template do
 */
export function encodePrompt(prompt: Prompt, tokenizer: Tokenizer): readonly number[] {
  if ('ids' in prompt) return prompt.ids;
  if ('text' in prompt) return tokenizer.encode(prompt.text, { addSpecialTokens: true });
  const rendered = tokenizer.applyChatTemplate(prompt.messages, { addGenerationPrompt: true });
  return tokenizer.encode(rendered, { addSpecialTokens: false });
}
