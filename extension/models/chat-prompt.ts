import type { Generation } from '../../server/protocol/generation.ts';

/** A message of VS Code's chat, as far as a model that reads text can use it. */
export interface ChatMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** The texts among the parts of a message, joined; models here read nothing else. */
export function textOf(parts: readonly unknown[]): string {
  return parts.map((part) => (isTextPart(part) ? part.value : '')).join('');
}

/** What a model is asked by a conversation. */
export function chatPrompt(messages: readonly ChatMessage[]): Generation['prompt'] {
  const [only] = messages;
  // A single question can be put to models without a chat template too.
  if (messages.length === 1 && only!.role === 'user') return { turn: only!.content };
  return { messages };
}

/** Has the shape of `vscode.LanguageModelTextPart`. */
function isTextPart(part: unknown): part is { readonly value: string } {
  return (
    typeof part === 'object' && part !== null && 'value' in part && typeof part.value === 'string'
  );
}
