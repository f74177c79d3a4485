import { isJsonObject } from '../json-file.ts';
import type { ChatMessage } from '../tokenizer/chat-template.ts';
import { RowError } from './row-error.ts';
import { parseToolCalls } from './tools.ts';

/** The names that data sets use for the roles that chat templates know. */
const ROLES: ReadonlyMap<string, string> = new Map([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['human', 'user'],
  ['assistant', 'assistant'],
  ['gpt', 'assistant'],
  ['chatgpt', 'assistant'],
  ['model', 'assistant'],
  ['function_call', 'assistant'],
  ['tool_call', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
  ['observation', 'tool'],
  ['tool_response', 'tool'],
]);

/** Roles of ShareGPT whose text is a call, or a list of calls, as JSON. */
const CALL_ROLES: ReadonlySet<string> = new Set(['function_call', 'tool_call']);

/**
 * The turns in a column, written as OpenAI does (`role`, `content`, `tool_calls`) or as ShareGPT does
 * (`from`, `value`). Further keys are kept for the template, unless they hold nothing.
 *
 * @throws RowError naming the turn, from 1, that is not one.
 */
export function parseMessages(value: unknown, column: string): readonly ChatMessage[] {
  if (!Array.isArray(value)) throw new RowError(`the column "${column}" is not a list of turns`);
  if (value.length === 0) throw new RowError(`the conversation in "${column}" has no turns`);
  return value.map((turn: unknown, index) => parseTurn(turn, index + 1));
}

function parseTurn(turn: unknown, number: number): ChatMessage {
  if (!isJsonObject(turn)) throw new RowError(`turn ${number} is not an object`);
  const { from, value, function_call, tool_calls, ...others } = columnsOf(turn);
  const name = others['role'] ?? from;
  const known = typeof name === 'string' ? name.toLowerCase() : '';
  const role = ROLES.get(known);
  if (role === undefined) {
    throw new RowError(
      `turn ${number} has ${name === undefined ? 'no role' : `the unknown role ${JSON.stringify(name)}`}; known roles are ${[...ROLES.keys()].join(', ')}`,
    );
  }
  const content = others['content'] ?? value;
  if (CALL_ROLES.has(known)) {
    const calls = parseToolCalls(content, number);
    return { ...others, role, content: null, tool_calls: calls };
  }
  // A call alone is how OpenAI wrote it once.
  const given = tool_calls ?? (function_call === undefined ? [] : [function_call]);
  const calls = parseToolCalls(given, number);
  return {
    ...others,
    role,
    content: contentOf(content, calls.length > 0, number),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** Text, a list of text parts, or nothing beside tool calls. */
function contentOf(content: unknown, hasCalls: boolean, number: number): string | null {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map((part) => textOfPart(part, number)).join('');
  if (content === undefined && hasCalls) return null;
  throw new RowError(`turn ${number} has no text in its content`);
}

function textOfPart(part: unknown, number: number): string {
  if (typeof part === 'string') return part;
  if (isJsonObject(part) && typeof part['text'] === 'string') return part['text'];
  throw new RowError(`turn ${number} has content that is not text, which this model cannot read`);
}

/**
 * Files with columns give every turn the keys of all turns, with null where a turn has none, and large
 * integers as Parquet has them.
 */
function columnsOf(turn: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(turn)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, typeof value === 'bigint' ? Number(value) : value]),
  );
}
