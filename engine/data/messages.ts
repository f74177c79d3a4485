import type { ChatMessage } from '../tokenizer/chat-template.ts';
import { RowError } from './row-error.ts';

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
  ['tool', 'tool'],
  ['function', 'tool'],
  ['observation', 'tool'],
]);

/**
 * The turns in a column, written as OpenAI does (`role`, `content`) or as ShareGPT does (`from`,
 * `value`). Further keys are kept for the template.
 *
 * @throws RowError naming the turn, from 1, that is not one.
 */
export function parseMessages(value: unknown, column: string): readonly ChatMessage[] {
  if (!Array.isArray(value)) throw new RowError(`the column "${column}" is not a list of turns`);
  if (value.length === 0) throw new RowError(`the conversation in "${column}" has no turns`);
  return value.map((turn: unknown, index) => parseTurn(turn, index + 1));
}

function parseTurn(turn: unknown, number: number): ChatMessage {
  if (typeof turn !== 'object' || turn === null || Array.isArray(turn)) {
    throw new RowError(`turn ${number} is not an object`);
  }
  const { from, value, ...others } = turn as Readonly<Record<string, unknown>>;
  const name = others['role'] ?? from;
  const role = typeof name === 'string' ? ROLES.get(name.toLowerCase()) : undefined;
  if (role === undefined) {
    throw new RowError(
      `turn ${number} has ${name === undefined ? 'no role' : `the unknown role ${JSON.stringify(name)}`}; known roles are ${[...ROLES.keys()].join(', ')}`,
    );
  }
  return { ...others, role, content: contentOf(others['content'] ?? value, others, number) };
}

/** Text, a list of text parts, or nothing beside tool calls. */
function contentOf(
  content: unknown,
  turn: Readonly<Record<string, unknown>>,
  number: number,
): string | null {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map((part) => textOfPart(part, number)).join('');
  if ((content ?? null) === null && Array.isArray(turn['tool_calls'])) return null;
  throw new RowError(`turn ${number} has no text in its content`);
}

function textOfPart(part: unknown, number: number): string {
  if (
    typeof part === 'object' &&
    part !== null &&
    'text' in part &&
    typeof part.text === 'string'
  ) {
    return part.text;
  }
  throw new RowError(`turn ${number} has content that is not text, which this model cannot read`);
}
