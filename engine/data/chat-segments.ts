import type { ChatMessage, ChatTool, RenderedChat } from '../tokenizer/chat-template.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { refusalOf, requireExpressed } from './expressed.ts';
import { RowError } from './row-error.ts';
import type { Segment } from './segments.ts';

/**
 * Today, for templates that tell the model the date. Always the same day (the one that Llama's
 * templates fall back to), so that a run resumed tomorrow learns the same tokens.
 */
const TRAINING_DATE = new Date(2024, 6, 26);

/** Turns, and what the model may call in them. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ChatTool[];
}

/** A rendered conversation, cut where the assistant's turns begin and end. */
export interface ChatSegments {
  readonly segments: readonly Segment[];
  /** The template writes earlier answers differently once the conversation goes on, so only the last one is learned. */
  readonly lastTurnOnly: boolean;
  /** The template says itself what is learned, to the last token. */
  readonly isMarked: boolean;
}

/** How a conversation is cut. */
export interface CutOptions {
  /** Of the answers the last one alone is learned. */
  readonly lastAnswerOnly: boolean;
  /** Turns that start beyond this many characters are left out. */
  readonly maxCharacters: number;
}

/** Renders the first turns of a conversation. */
type Render = (count: number, addGenerationPrompt: boolean) => RenderedChat;

/**
 * Cuts a conversation where what the model writes begins and ends: where the template's own
 * `{% generation %}` blocks do or, in a template without, where generation would start and stop.
 *
 * @throws RowError when the template leaves out what a turn says, or does not write an answer as its
 * own generation prompt begins it; LorafaError `data.chat_template` when it refuses the turns.
 */
export function chatSegments(
  conversation: Conversation,
  tokenizer: Tokenizer,
  { lastAnswerOnly, maxCharacters }: CutOptions,
): ChatSegments {
  const { messages } = conversation;
  const renderOther = ({ messages, tools }: Conversation, addGenerationPrompt: boolean) =>
    tokenizer.renderChat(messages, {
      addGenerationPrompt,
      tools,
      date: TRAINING_DATE,
    });
  const render: Render = (count, addGenerationPrompt) =>
    renderOther({ ...conversation, messages: messages.slice(0, count) }, addGenerationPrompt);
  const whole = orRefused(conversation, () => render(messages.length, false));
  requireExpressed(conversation, whole.text, (other) => renderOther(other, false).text);
  const learned = messages.flatMap((message, index) => (isLearnedAnswer(message) ? index : []));
  const last = learned.at(-1);
  if (tokenizer.chatTemplateFor(conversation.tools)?.marksGenerated === true) {
    const wanted = new Set(lastAnswerOnly ? learned.slice(-1) : learned);
    const segments = markedSegments(render, messages, wanted, whole);
    return { segments, lastTurnOnly: false, isMarked: true };
  }
  if (lastAnswerOnly && last !== undefined) {
    return { segments: lastTurn(render, last, true), lastTurnOnly: false, isMarked: false };
  }
  return { ...turnSegments(render, messages, whole.text, maxCharacters), isMarked: false };
}

function orRefused(conversation: Conversation, render: () => RenderedChat): RenderedChat {
  try {
    return render();
  } catch (error) {
    throw refusalOf(conversation, error);
  }
}

/** Cuts at the template's own blocks; those of answers that are not wanted are read like the rest. */
function markedSegments(
  render: Render,
  messages: readonly ChatMessage[],
  wanted: ReadonlySet<number>,
  { text, generated }: RenderedChat,
): readonly Segment[] {
  const blocks = (count: number): number =>
    count === 0 ? 0 : render(count, false).generated.length;
  // Which blocks are a turn's is seen by rendering without it, and needed only where some are not.
  const unwanted = new Set<number>();
  for (const [index, { role }] of messages.entries()) {
    if (role !== 'assistant' || wanted.has(index)) continue;
    for (let block = blocks(index); block < blocks(index + 1); block++) unwanted.add(block);
  }
  const segments: Segment[] = [];
  let position = 0;
  for (const [block, { start, end }] of generated.entries()) {
    segments.push(
      { text: text.slice(position, start), isCompletion: false },
      { text: text.slice(start, end), isCompletion: !unwanted.has(block) },
    );
    position = end;
  }
  return [...segments, { text: text.slice(position), isCompletion: false }];
}

/**
 * Cuts at the exact places where generation would start and stop: answer `i` is what
 * `render(messages[0..i])` adds to `render(messages[0..i-1], add_generation_prompt)`.
 *
 * Some templates rewrite earlier turns later on (they drop the reasoning of answers that are
 * past). Then no single text shows every answer in the context that it had, and only the last
 * answer is marked, in exactly the context that it will have.
 */
function turnSegments(
  render: Render,
  messages: readonly ChatMessage[],
  whole: string,
  maxCharacters: number,
): Pick<ChatSegments, 'segments' | 'lastTurnOnly'> {
  const lastAnswer = messages.findLastIndex((message) => message.role === 'assistant');
  const segments: Segment[] = [];
  let position = 0;
  for (let index = 0; index <= lastAnswer && position < maxCharacters; index++) {
    if (messages[index]!.role !== 'assistant') continue;
    const before = render(index, true).text;
    const through = render(index + 1, false).text;
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

function lastTurn(render: Render, lastAnswer: number, isCompletion: boolean): readonly Segment[] {
  const before = render(lastAnswer, true).text;
  const through = render(lastAnswer + 1, false).text;
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
