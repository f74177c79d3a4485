import { LorafaError, messageOf } from '../errors.ts';
import { TimeLimitError } from '../time-limit.ts';
import type { ChatMessage } from '../tokenizer/chat-template.ts';
import type { Conversation } from './chat-segments.ts';
import { RowError } from './row-error.ts';

/**
 * Makes sure that a template writes what a conversation says: the text of every turn, its calls, and
 * the functions that may be called. Templates leave out what their models do not know, without a word.
 * What cannot be found in the text as it is, is looked for by leaving it out: the same text without it
 * is one that never had it. Each look renders the whole conversation, so of many turns that are alike
 * the first and the last are looked at.
 *
 * @param text the conversation as the template writes it
 * @param render writes another one
 * @throws RowError `data.chat_template` that names what is missing
 */
export function requireExpressed(
  conversation: Conversation,
  text: string,
  render: (conversation: Conversation) => string,
): void {
  const isMissing = (change: Partial<Conversation>): boolean => {
    try {
      return render({ ...conversation, ...change }) === text;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return false;
    }
  };
  const { messages, tools } = conversation;
  if (tools.length > 0 && isMissing({ tools: [] })) {
    throw missing('the functions in the column "tools"');
  }
  const turns = messages.map((message, index) => ({ message, index }));
  const isMissingWith = ({ message, index }: Turn, change: Partial<ChatMessage>): boolean =>
    isMissing({ messages: messages.with(index, { ...message, ...change } as ChatMessage) });
  const unfound = turns.filter(({ message }) => !text.includes(message.content?.trim() ?? ''));
  for (const turn of samples(unfound, (turn) => kindOf(turn, messages))) {
    if (!isMissingWith(turn, { content: '' })) continue;
    throw missing(`the text of turn ${turn.index + 1} (${turn.message.role})`);
  }
  const calling = turns.filter(({ message }) => callsOf(message).length > 0);
  for (const turn of samples(calling, (turn) => kindOf(turn, messages))) {
    // Some templates write the first call alone.
    if (!isMissingWith(turn, { tool_calls: callsOf(turn.message).slice(0, -1) })) continue;
    throw missing(`the call of turn ${turn.index + 1}`);
  }
}

interface Turn {
  readonly message: ChatMessage;
  readonly index: number;
}

/** What templates go by: whose turn it is, what it has, and whose turns are beside it. */
function kindOf({ message, index }: Turn, messages: readonly ChatMessage[]): string {
  const { role, content } = message;
  const beside = [messages[index - 1]?.role, messages[index + 1]?.role];
  return JSON.stringify([role, content === '', callsOf(message).length, ...beside]);
}

function callsOf({ tool_calls: calls }: ChatMessage): readonly unknown[] {
  return Array.isArray(calls) ? calls : [];
}

/** The first and the last item of each kind, in their order. */
function samples<T>(items: readonly T[], kindOf: (item: T) => string): T[] {
  const last = new Map(items.map((item) => [kindOf(item), item]));
  const seen = new Set<string>();
  return items.filter((item) => {
    const kind = kindOf(item);
    const isFirst = !seen.has(kind);
    seen.add(kind);
    return isFirst || item === last.get(kind);
  });
}

/** What to say of a conversation that a template refuses: mostly its calls are what it does not know. */
export function refusalOf({ messages, tools }: Conversation, error: unknown): unknown {
  const hasCalls =
    tools.length > 0 || messages.some(({ tool_calls: calls }) => calls !== undefined);
  if (!hasCalls || !isRefusal(error)) return error;
  return new RowError(
    `the model's chat template refuses the conversation, which has calls of functions (${messageOf(error.cause)}); give one that knows them in data.chat_template, or leave out the row`,
    'data.chat_template',
  );
}

function missing(what: string): RowError {
  return new RowError(
    `the model's chat template does not write ${what}, so that the model would never see it; give one that does in data.chat_template, or leave it out of the row`,
    'data.chat_template',
  );
}

/**
 * A template that refuses a change has looked at what was changed. It says why in the cause, which
 * the error of a model without a template does not have.
 */
function isRefusal(error: unknown): error is LorafaError {
  return (
    error instanceof LorafaError &&
    error.code === 'data.chat_template' &&
    error.cause !== undefined &&
    !(error instanceof TimeLimitError)
  );
}
