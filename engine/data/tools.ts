import { parseJson } from '../json.ts';
import { isJsonObject, type JsonObject } from '../json-file.ts';
import type { ChatTool } from '../tokenizer/chat-template.ts';
import { RowError } from './row-error.ts';

/** A call of a function in a turn, in OpenAI's form, but with its arguments as an object. */
export interface ToolCall extends JsonObject {
  readonly function: JsonObject;
}

/**
 * The calls of a turn: a list, one of them, or either as JSON text; each with its function under
 * `function`, as OpenAI has it, or bare. Templates write arguments as JSON themselves, so that arguments
 * that are JSON text become what the text says.
 *
 * @param number of the turn, from 1
 * @throws RowError naming the turn
 */
export function parseToolCalls(value: unknown, number: number): readonly ToolCall[] {
  const given = jsonOf(value);
  return (Array.isArray(given) ? given : [given]).map((call: unknown) => {
    const { id, ...bare } = isJsonObject(call) ? call : {};
    const called = bare['function'] ?? bare;
    if (!isJsonObject(called) || typeof called['name'] !== 'string') {
      throw new RowError(
        `turn ${number} has a call that is not an object with a name and arguments`,
      );
    }
    const written = called['arguments'] ?? {};
    const read = jsonOf(written);
    const made = { ...called, arguments: isJsonObject(read) ? plain(read) : written };
    const rest = called === bare ? { type: 'function' } : bare;
    return { ...(id !== undefined && { id }), ...rest, function: made };
  });
}

/**
 * What the model of a row may call: a list of functions or JSON text of one, each under `function`, as
 * OpenAI has it, or bare; none where the column is empty.
 *
 * @throws RowError for anything else
 */
export function parseTools(value: unknown, column: string): readonly ChatTool[] {
  const given = value === '' ? null : jsonOf(value);
  if ((given ?? null) === null) return [];
  if (!Array.isArray(given))
    throw new RowError(`the column "${column}" is not a list of functions`);
  return given.map((tool: unknown, index) => {
    const described = isJsonObject(tool) ? (tool['function'] ?? tool) : undefined;
    if (!isJsonObject(described) || typeof described['name'] !== 'string') {
      throw new RowError(`function ${index + 1} in the column "${column}" has no name`);
    }
    return plain(described === tool ? { type: 'function', function: tool } : tool) as ChatTool;
  });
}

/** The value of a text that is JSON, and any other value as it is. */
function jsonOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return parseJson(value);
  } catch {
    return value;
  }
}

/** With numbers where Parquet has large integers, which templates cannot write. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? Number(each) : each)),
  );
}
