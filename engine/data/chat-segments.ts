import type { ChatMessage } from '../tokenizer/chat-template.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { RowError } from './row-error.ts';
import type { Segment } from './segments.ts';

/**
 * Today, for templates that tell the model the date. Always the same day (the one that Llama's
 * templates fall back to), so that a run resumed tomorrow learns the same tokens.
 */
const TRAINING_DATE = new Date(2024, 6, 26);

/** A rendered conversation, cut where the assistant's turns begin and end. */
export interface ChatSegments {
  readonly segments: readonly Segment[];
  /** The template writes earlier answers differently once the conversation goes on, so only the last one is learned. */
  readonly lastTurnOnly: boolean;
}

/**
 * Cuts a conversation at the exact places where generation would start and stop: answer `i` is
 * what `render(messages[0..i])` adds to `render(messages[0..i-1], add_generation_prompt)`.
 *
 * Some templates rewrite earlier turns later on (they drop the reasoning of answers that are
 * past). Then no single text shows every answer in the context that it had, and only the last
 * answer is marked, in exactly the context that it will have.
 *
 * @param maxCharacters turns that start beyond this many characters are left out.
 * @throws RowError when the template refuses the turns, or does not write an answer as its own
 * generation prompt begins it.
 */
export function chatSegments(
  messages: readonly ChatMessage[],
  tokenizer: Tokenizer,
  maxCharacters: number,
): ChatSegments {
  const render = (count: number, addGenerationPrompt: boolean): string =>
    tokenizer.applyChatTemplate(messages.slice(0, count), {
      addGenerationPrompt,
      date: TRAINING_DATE,
    });
  const whole = render(messages.length, false);
  const lastAnswer = messages.findLastIndex((message) => message.role === 'assistant');
  const segments: Segment[] = [];
  let position = 0;
  for (let index = 0; index <= lastAnswer && position < maxCharacters; index++) {
    if (messages[index]!.role !== 'assistant') continue;
    const before = render(index, true);
    const through = render(index + 1, false);
    const isStable =
      before.length >= position && through.startsWith(before) && whole.startsWith(through);
    if (!isStable) {
      const isCompletion = isLearnedAnswer(messages[lastAnswer]!);
      return { segments: lastTurn(render, lastAnswer, isCompletion), lastTurnOnly: true };
    }
    segments.push(
      { text: whole.slice(position, before.length), isCompletion: false },
      {
        text: whole.slice(before.length, through.length),
        isCompletion: isLearnedAnswer(messages[index]!),
      },
    );
    position = through.length;
  }
  segments.push({ text: whole.slice(position), isCompletion: false });
  return { segments, lastTurnOnly: false };
}

function lastTurn(
  render: (count: number, addGenerationPrompt: boolean) => string,
  lastAnswer: number,
  isCompletion: boolean,
): readonly Segment[] {
  const before = render(lastAnswer, true);
  const through = render(lastAnswer + 1, false);
  if (!through.startsWith(before)) {
    throw new RowError(
      "the model's chat template does not write an answer as its generation prompt begins it, so the place where the answer starts cannot be found",
      'data.chat_template',
    );
  }
  return [
    { text: before, isCompletion: false },
    { text: through.slice(before.length), isCompletion },
  ];
}

/**
 * Whether a turn is an answer to be learned: the assistant's, not empty, and not marked with
 * `weight: 0`, OpenAI's sign for answers that are only context.
 */
export function isLearnedAnswer({ role, content, weight, tool_calls }: ChatMessage): boolean {
  const isEmpty = (content ?? '').trim() === '' && !Array.isArray(tool_calls);
  return role === 'assistant' && weight !== 0 && !isEmpty;
}
