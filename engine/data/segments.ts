import { LorafaError } from '../errors.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import {
  type ChatSegments,
  type Conversation,
  chatSegments,
  isLearnedAnswer,
} from './chat-segments.ts';
import { type DataOptions, learnsAll } from './options.ts';
import type { Example, Shape } from './shapes.ts';

/** A piece of what the model reads. Pieces are tokenized apart, so that tokens never span a border. */
export interface Segment {
  readonly text: string;
  /** What the model is to write itself, up to and including the token that ends it. */
  readonly isCompletion: boolean;
}

/** An example as the text that the model reads. */
export interface SegmentedExample {
  readonly segments: readonly Segment[];
  /** The text came from the chat template, which writes the special tokens itself. */
  readonly isChat: boolean;
  /** See {@link ChatSegments.lastTurnOnly}. */
  readonly lastTurnOnly: boolean;
  /** See {@link ChatSegments.isMarked}. */
  readonly isMarked: boolean;
  /** Nothing keeps the completion apart from the end of its prompt: `What is 2 + 2?4`. */
  readonly isUnseparated: boolean;
  /** Why there is nothing to learn, where the row itself is the cause. */
  readonly nothingToLearn: EmptyCause | undefined;
}

/** What a row lacks. */
export type EmptyCause = 'empty_text' | 'empty_completion' | 'no_answer' | 'no_marks';

/**
 * Whether rows of prompt and completion become a user's and an assistant's turn. With `auto` they
 * do where the model has a chat template, except when the user's own templates write the text.
 *
 * @throws LorafaError `config.contradiction` when this or another setting of chats cannot be honoured
 * for such rows.
 */
export function wrapsAsChat(shape: Shape, tokenizer: Tokenizer, options: DataOptions): boolean {
  const setting = options.apply_chat_template;
  if (setting === true && shape.kind === 'text') {
    throw new LorafaError(
      'config.contradiction',
      `data.apply_chat_template is true, but the rows are plain text (${shape.description}), which has no turns; remove it or name a prompt and a completion.`,
    );
  }
  if (setting === false && shape.kind === 'messages') {
    throw new LorafaError(
      'config.contradiction',
      `data.apply_chat_template is false, but the rows are conversations (${shape.description}), which become text only through the chat template; remove it or name other columns.`,
    );
  }
  const isAutomatic = shape.kind === 'prompt_completion' && tokenizer.chatTemplate !== null;
  const wraps = setting === 'auto' ? isAutomatic : setting;
  requireEffect(shape, wraps, options);
  return wraps;
}

/** A setting without an effect is an error. */
function requireEffect(shape: Shape, wraps: boolean, options: DataOptions): void {
  if (shape.kind === 'messages') return;
  if (options.train_on === 'last_assistant') {
    const one = shape.kind === 'text' ? 'plain text' : 'a prompt with one completion';
    throw new LorafaError(
      'config.contradiction',
      `data.train_on is "last_assistant", but the rows are ${one} (${shape.description}), where there is no last one of several answers; remove it or name a column of chat turns.`,
    );
  }
  if (options.chat_template !== undefined && !wraps) {
    throw new LorafaError(
      'config.contradiction',
      `data.chat_template is given, but the rows (${shape.description}) do not go through a chat template; remove it${shape.kind === 'text' ? '' : ' or set data.apply_chat_template to true'}.`,
    );
  }
}

/**
 * Cuts an example into what is read and what is to be written.
 *
 * @throws RowError, or LorafaError `data.chat_template`, when the conversation cannot be rendered.
 */
export function segmentsOf(
  example: Example,
  asChat: boolean,
  tokenizer: Tokenizer,
  options: DataOptions,
): SegmentedExample {
  switch (example.kind) {
    case 'text':
      return plain(
        [{ text: example.text, isCompletion: true }],
        isBlank(example.text) ? 'empty_text' : undefined,
      );
    case 'prompt_completion': {
      const { prompt, completion } = example;
      const isEmpty = isBlank(completion) && !learnsAll(options);
      if (!asChat || isEmpty) {
        return plain(
          [
            { text: prompt, isCompletion: false },
            { text: completion, isCompletion: true },
          ],
          isEmpty ? 'empty_completion' : undefined,
          runsTogether(prompt, completion),
        );
      }
      const messages = [
        { role: 'user', content: prompt },
        { role: 'assistant', content: completion },
      ];
      return chat({ messages, tools: [] }, tokenizer, options);
    }
    case 'messages':
      return chat(example, tokenizer, options);
  }
}

function plain(
  segments: readonly Segment[],
  nothingToLearn: EmptyCause | undefined,
  isUnseparated = false,
): SegmentedExample {
  return {
    ...{ segments, nothingToLearn, isUnseparated },
    ...{ isChat: false, lastTurnOnly: false, isMarked: false },
  };
}

/** A sign at the end of a prompt, such as `:` or `>`, separates as well as white space does. */
function runsTogether(prompt: string, completion: string): boolean {
  return (
    /[\p{L}\p{N}.?!…。？！"'”’)]$/u.test(prompt.slice(-2)) && /^\S/.test(completion.slice(0, 2))
  );
}

function chat(
  conversation: Conversation,
  tokenizer: Tokenizer,
  options: DataOptions,
): SegmentedExample {
  const cut = chatSegments(conversation, tokenizer, {
    lastAnswerOnly: options.train_on === 'last_assistant',
    maxCharacters: (options.max_length + 1) * tokenizer.longestToken,
  });
  const nothingToLearn = learnsAll(options) ? undefined : emptyCause(conversation, cut);
  return { ...cut, isChat: true, isUnseparated: false, nothingToLearn };
}

function emptyCause(
  { messages }: Conversation,
  { segments, isMarked }: ChatSegments,
): EmptyCause | undefined {
  if (!messages.some(isLearnedAnswer)) return 'no_answer';
  return isMarked && !segments.some(({ isCompletion }) => isCompletion) ? 'no_marks' : undefined;
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}
