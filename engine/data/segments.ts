import { LorafaError } from '../errors.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { chatSegments, isLearnedAnswer } from './chat-segments.ts';
import type { DataOptions } from './options.ts';
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
  /** Why there is nothing to learn, where the row itself is the cause. */
  readonly nothingToLearn: EmptyCause | undefined;
}

/** What a row lacks. */
export type EmptyCause = 'empty_text' | 'empty_completion' | 'no_answer';

/**
 * Whether rows of prompt and completion become a user's and an assistant's turn. With `auto` they
 * do where the model has a chat template, except when the user's own templates write the text.
 *
 * @throws LorafaError `config.contradiction` when the setting cannot be honoured for such rows.
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
  if (setting !== 'auto') return setting;
  return shape.kind === 'prompt_completion' && tokenizer.chatTemplate !== null;
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
      const isEmpty = isBlank(completion) && options.completion_only_loss;
      if (!asChat || isEmpty) {
        return plain(
          [
            { text: prompt, isCompletion: false },
            { text: completion, isCompletion: true },
          ],
          isEmpty ? 'empty_completion' : undefined,
        );
      }
      return chat(
        [
          { role: 'user', content: prompt },
          { role: 'assistant', content: completion },
        ],
        tokenizer,
        options,
      );
    }
    case 'messages':
      return chat(example.messages, tokenizer, options);
  }
}

function plain(
  segments: readonly Segment[],
  nothingToLearn: EmptyCause | undefined,
): SegmentedExample {
  return { segments, isChat: false, lastTurnOnly: false, nothingToLearn };
}

function chat(
  messages: Extract<Example, { kind: 'messages' }>['messages'],
  tokenizer: Tokenizer,
  options: DataOptions,
): SegmentedExample {
  const maxCharacters = (options.max_length + 1) * tokenizer.longestToken;
  const { segments, lastTurnOnly } = chatSegments(messages, tokenizer, maxCharacters);
  const hasAnswer = messages.some(isLearnedAnswer);
  return {
    segments,
    isChat: true,
    lastTurnOnly,
    nothingToLearn: hasAnswer || !options.completion_only_loss ? undefined : 'no_answer',
  };
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}
