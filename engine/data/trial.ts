import { isLearnedAnswer } from './chat-segments.ts';
import type { Example } from './shapes.ts';

/** What a model is asked by a row, and how the row goes on. */
export interface Trial {
  readonly prompt: TrialPrompt;
  /** What the row has as the answer. */
  readonly expected: string;
}

/** See `Generation['prompt']` of the server's protocol. */
export type TrialPrompt =
  /** A user's turn. */
  | { readonly turn: string }
  /** A text to continue. */
  | { readonly text: string }
  /** Turns before the answer. */
  | { readonly messages: readonly { readonly role: string; readonly content: string }[] };

/** Share of a plain text that is the prompt. */
const HEAD = 1 / 3;

/**
 * A row as a question to a model: its prompt, the turns before its last answer, or the head of its
 * text; undefined where the row holds nothing of the kind.
 *
 * @param asChat whether prompts are a user's turn, see `wrapsAsChat`
 */
export function trialOf(example: Example, asChat: boolean): Trial | undefined {
  switch (example.kind) {
    case 'text':
      return cut(example.text);
    case 'prompt_completion': {
      const { prompt, completion } = example;
      if (prompt.trim() === '' || completion.trim() === '') return undefined;
      return { prompt: asChat ? { turn: prompt } : { text: prompt }, expected: completion };
    }
    case 'messages': {
      // A trial is a conversation of texts.
      const hasCalls = example.messages.some(({ tool_calls: calls }) => calls !== undefined);
      if (hasCalls || example.tools.length > 0) return undefined;
      const answer = example.messages.findLastIndex(isLearnedAnswer);
      const expected = example.messages[answer]?.content;
      const before = example.messages.slice(0, Math.max(0, answer));
      if (typeof expected !== 'string' || before.length === 0) return undefined;
      const messages = before.map(({ role, content }) => ({ role, content: content ?? '' }));
      const [only] = messages;
      const isTurn = messages.length === 1 && only!.role === 'user';
      return { prompt: isTurn ? { turn: only!.content } : { messages }, expected };
    }
  }
}

/** Cuts a text between two words. */
function cut(text: string): Trial | undefined {
  const at = text.slice(Math.ceil(text.length * HEAD)).search(/\s/);
  if (at < 0) return undefined;
  const end = Math.ceil(text.length * HEAD) + at;
  const [head, expected] = [text.slice(0, end), text.slice(end)];
  return head.trim() === '' || expected.trim() === ''
    ? undefined
    : { prompt: { text: head }, expected };
}
