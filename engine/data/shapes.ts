import { LorafaError } from '../errors.ts';
import type { ChatMessage } from '../tokenizer/chat-template.ts';
import type { Conversation } from './chat-segments.ts';
import {
  type ColumnKey,
  listColumns,
  requireColumns,
  textOf,
  type WantedColumn,
} from './columns.ts';
import { parseMessages } from './messages.ts';
import type { RowOptions } from './options.ts';
import type { Row } from './row.ts';
import { RowError } from './row-error.ts';
import { RowTemplate } from './template.ts';
import { parseTools } from './tools.ts';

/** What one row says, before the model's formatting. */
export type Example =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'prompt_completion'; readonly prompt: string; readonly completion: string }
  | ({ readonly kind: 'messages' } & Conversation);

/** How the rows of one file are read. */
export interface Shape {
  /** Kind of the examples; `template` for prompts and completions that the user's templates write. */
  readonly kind: Example['kind'] | 'template';
  /** For people: `question → answer`. */
  readonly description: string;
  /** The columns of prompt and completion, where each is one column as it is. */
  readonly pair?: { readonly prompt: string; readonly completion: string };
  /** @throws RowError when the row does not hold what the shape needs. */
  example(row: Row): Example;
}

/** Prompt, completion and, where there is one, a column that adds to the prompt when not empty. */
const PAIRS: readonly (readonly [prompt: string, completion: string, context?: string])[] = [
  ['prompt', 'completion'],
  ['prompt', 'response'],
  ['query', 'response'],
  ['question', 'answer'],
  ['instruction', 'output', 'input'],
  ['instruction', 'response', 'context'],
  ['input', 'output'],
];

/** Columns beside chat turns that belong to them: what goes before them, and what they may call. */
const [SYSTEM_COLUMN, TOOLS_COLUMN] = ['system', 'tools'];

const CHAT_COLUMNS = ['messages', 'conversations', 'conversation'];

/**
 * Decides by the settings and by the columns of a file's first row how its rows are read. Chat
 * turns go before prompt and completion, and these before plain text, because the richer shape
 * says what is to be learned.
 *
 * @throws LorafaError `data.missing_column` when a column that is needed is not there, or no shape
 * is recognised; `config.invalid_value` for a template that cannot be read.
 */
export function recogniseShape(row: Row, options: RowOptions): Shape {
  switch (formatOf(options)) {
    case 'text':
      return textShape(requireKey('text_column', options, 'text', row));
    case 'messages':
      return messagesShape(
        requireKey('messages_column', options, chatColumn(row) ?? 'messages', row),
        row,
      );
    case 'prompt_completion':
      return pairShape(row, options);
    case 'template':
      return templateShape(row, options);
    case 'auto':
      return recogniseByColumns(row, options);
  }
}

/** The format as set, or as the settings for one format imply. */
function formatOf(options: RowOptions): RowOptions['format'] {
  if (options.format !== 'auto') return options.format;
  if (options.completion_template !== undefined) return 'template';
  if (options.messages_column !== undefined) return 'messages';
  if ((options.prompt_column ?? options.completion_column) !== undefined)
    return 'prompt_completion';
  return options.text_column === undefined ? 'auto' : 'text';
}

function recogniseByColumns(row: Row, options: RowOptions): Shape {
  const chat = chatColumn(row);
  if (chat !== undefined) return messagesShape(chat, row);
  if (knownPair(row) !== undefined) return pairShape(row, options);
  if (Object.hasOwn(row.value, 'text')) return textShape('text');
  throw new LorafaError(
    'data.missing_column',
    `Cannot tell what to learn from ${row.file}:${row.line}, whose columns are ${listColumns(row)}; set data.prompt_column and data.completion_column, data.text_column, data.messages_column or data.completion_template.`,
    { location: { file: row.file, line: row.line } },
  );
}

function requireKey(key: ColumnKey, options: RowOptions, fallback: string, row: Row): string {
  return requireColumns([wantedColumn(key, options, fallback)], row)[0]!;
}

function wantedColumn(key: ColumnKey, options: RowOptions, fallback: string): WantedColumn {
  return { key, named: options[key], fallback };
}

function textShape(column: string): Shape {
  return {
    kind: 'text',
    description: column,
    example: (row) => ({ kind: 'text', text: textOf(row, column) }),
  };
}

function messagesShape(column: string, row: Row): Shape {
  const columns = [SYSTEM_COLUMN, column, TOOLS_COLUMN];
  return {
    kind: 'messages',
    description: columns.filter((name) => Object.hasOwn(row.value, name)).join(' + '),
    example: (row) => ({
      kind: 'messages',
      messages: withSystem(row, parseMessages(row.value[column], column)),
      tools: parseTools(row.value[TOOLS_COLUMN], TOOLS_COLUMN),
    }),
  };
}

/** ShareGPT has the system prompt in a column of its own. */
function withSystem(row: Row, turns: readonly ChatMessage[]): readonly ChatMessage[] {
  const isAbsent = (row.value[SYSTEM_COLUMN] ?? null) === null;
  const system = isAbsent ? '' : textOf(row, SYSTEM_COLUMN);
  if (system.trim() === '') return turns;
  const [first] = turns;
  if (first?.role !== 'system') return [{ role: 'system', content: system }, ...turns];
  if (first.content === system) return turns;
  throw new RowError(
    `the column "${SYSTEM_COLUMN}" and the first turn are two different system prompts; keep one of them`,
  );
}

function pairShape(row: Row, options: RowOptions): Shape {
  const known = knownPair(row);
  const [prompt, completion] = requireColumns(
    [
      wantedColumn('prompt_column', options, known?.[0] ?? 'prompt'),
      wantedColumn('completion_column', options, known?.[1] ?? 'completion'),
    ],
    row,
  ) as [string, string];
  const context = options.prompt_column === undefined ? known?.[2] : undefined;
  const hasContext = context !== undefined && Object.hasOwn(row.value, context);
  return {
    kind: 'prompt_completion',
    description: `${hasContext ? `${prompt} + ${context}` : prompt} → ${completion}`,
    ...(!hasContext && { pair: { prompt, completion } }),
    example: (each) => {
      const added = hasContext && each.value[context] !== null ? textOf(each, context) : '';
      const text = textOf(each, prompt);
      return {
        kind: 'prompt_completion',
        prompt: added === '' ? text : `${text}\n\n${added}`,
        completion: textOf(each, completion),
      };
    },
  };
}

function templateShape(row: Row, options: RowOptions): Shape {
  const prompt = new RowTemplate(options.prompt_template ?? '', 'prompt_template');
  const completion = new RowTemplate(options.completion_template ?? '', 'completion_template');
  prompt.requireColumns(row);
  completion.requireColumns(row);
  const isWholeText = options.prompt_template === undefined;
  return {
    kind: isWholeText ? 'text' : 'template',
    description: isWholeText ? 'completion_template' : 'prompt_template → completion_template',
    example: (each) =>
      isWholeText
        ? { kind: 'text', text: completion.render(each) }
        : {
            kind: 'prompt_completion',
            prompt: prompt.render(each),
            completion: completion.render(each),
          },
  };
}

function chatColumn(row: Row): string | undefined {
  return CHAT_COLUMNS.find((name) => Array.isArray(row.value[name]));
}

function knownPair(row: Row): (typeof PAIRS)[number] | undefined {
  return PAIRS.find(
    ([prompt, completion]) =>
      Object.hasOwn(row.value, prompt) && Object.hasOwn(row.value, completion),
  );
}
