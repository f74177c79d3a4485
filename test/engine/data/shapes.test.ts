import { describe, expect, test } from 'vitest';
import type { DataOptions } from '../../../engine/data/options.ts';
import type { Row } from '../../../engine/data/row.ts';
import { RowError } from '../../../engine/data/row-error.ts';
import { type Example, recogniseShape } from '../../../engine/data/shapes.ts';
import { dataOptions } from './data-options.ts';

const row = (value: Record<string, unknown>): Row => ({
  value,
  file: 'rows.jsonl',
  line: 7,
  progress: 1,
});

function example(value: Record<string, unknown>, changes: Partial<DataOptions> = {}): Example {
  return recogniseShape(row(value), dataOptions(changes)).example(row(value));
}

const pair = (prompt: string, completion: string): Example => ({
  kind: 'prompt_completion',
  prompt,
  completion,
});

describe('recognised by columns', () => {
  test.each<[Record<string, unknown>, Example]>([
    [{ text: 'a' }, { kind: 'text', text: 'a' }],
    [{ prompt: 'p', completion: 'c' }, pair('p', 'c')],
    [{ query: 'p', response: 'c', type: 'x', original_question: 'o' }, pair('p', 'c')],
    [{ question: 'p', answer: 42 }, pair('p', '42')],
    [{ instruction: 'p', output: 'c', text: 'whole' }, pair('p', 'c')],
    [{ instruction: 'p', input: '', output: 'c' }, pair('p', 'c')],
    [{ instruction: 'p', input: 'more', output: 'c' }, pair('p\n\nmore', 'c')],
    [{ instruction: 'p', context: null, response: 'c' }, pair('p', 'c')],
    [
      { prompt: 'p', completion: 'c', messages: [{ role: 'user', content: 'u' }] },
      { kind: 'messages', messages: [{ role: 'user', content: 'u' }], tools: [] },
    ],
  ])('%j', (value, expected) => {
    expect(example(value)).toEqual(expected);
  });

  test('unknown columns are listed with the way out', () => {
    expect(() => example({ title: 'a', body: 'b' })).toThrow(
      /rows\.jsonl:7, whose columns are "title", "body"; set data\.prompt_column/,
    );
  });
});

describe('set by name', () => {
  test.each<[Partial<DataOptions>, Example]>([
    [{ format: 'text' }, { kind: 'text', text: 't' }],
    [{ text_column: 'body' }, { kind: 'text', text: 'b' }],
    [{ prompt_column: 'body', completion_column: 'text' }, pair('b', 't')],
    [{ prompt_column: 'body' }, pair('b', 'a')],
    [{ completion_column: 'body' }, pair('q', 'b')],
    [
      { prompt_template: 'Q: {question} {{x}}\n{ n }A:', completion_template: '{answer}' },
      pair('Q: q {x}\n3A:', 'a'),
    ],
    [{ completion_template: '{question}/{answer}' }, { kind: 'text', text: 'q/a' }],
  ])('%j', (options, expected) => {
    const value = { text: 't', body: 'b', question: 'q', answer: 'a', n: 3 };
    expect(example(value, options)).toEqual(expected);
  });

  test.each<[Partial<DataOptions>, RegExp]>([
    [
      { text_column: 'txet' },
      /no column "txet"; its columns are "text", "answer": did you mean "text"\?/,
    ],
    [
      { format: 'prompt_completion' },
      /rows\.jsonl:7 has no column "prompt" and no column "completion"; .*: set data\.prompt_column and data\.completion_column\./,
    ],
    [
      { prompt_column: 'text' },
      /no column "completion"; its columns are "text", "answer": set data\.completion_column\./,
    ],
    [
      { prompt_column: 'txet' },
      /no column "txet" and no column "completion"; .*: set data\.prompt_column and data\.completion_column\./,
    ],
    [{ format: 'messages' }, /no column "messages"/],
    [{ completion_template: '{ansver}' }, /no column "ansver".* did you mean "answer"\?/],
  ])('%j names the missing column', (options, message) => {
    const run = (): Example => example({ text: 't', answer: 'a' }, options);
    expect(run).toThrow(expect.objectContaining({ code: 'data.missing_column' }));
    expect(run).toThrow(message);
  });

  test.each(['{answer', 'answer}', '{}', '{a{b}'])('template %j is refused', (text) => {
    expect(() => example({ answer: 'a' }, { completion_template: text })).toThrow(
      expect.objectContaining({ code: 'config.invalid_value' }),
    );
  });
});

describe('rows that do not hold text', () => {
  test.each([
    [null, /^the column "answer" is null, not text$/],
    [undefined, /^the column "answer" is missing$/],
    [['a'], /holds a list/],
    [{ a: 1 }, /holds an object/],
  ])('%j', (answer, message) => {
    const shape = recogniseShape(row({ question: 'q', answer: 'a' }), dataOptions());
    const run = (): Example =>
      shape.example(row(answer === undefined ? { question: 'q' } : { question: 'q', answer }));
    expect(run).toThrow(RowError);
    expect(run).toThrow(message);
  });
});

describe('conversations', () => {
  const messages = (value: unknown): unknown => {
    const shape = recogniseShape(row({ messages: [] }), dataOptions());
    const parsed = shape.example(row({ messages: value }));
    return parsed.kind === 'messages' ? parsed.messages : parsed;
  };

  test('OpenAI and ShareGPT roles', () => {
    const turns = ['system', 'human', 'gpt', 'user', 'Assistant', 'tool', 'developer'];
    const expected = ['system', 'user', 'assistant', 'user', 'assistant', 'tool', 'system'];
    expect(messages(turns.map((from) => ({ from, value: 'x' })))).toEqual(
      expected.map((role) => ({ role, content: 'x' })),
    );
    expect(
      messages([
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ]),
    ).toEqual([{ role: 'user', content: 'ab' }]);
  });

  test('keys that hold nothing are those of other turns', () => {
    const turn = { role: 'user', content: 'a', tool_calls: null, name: null, weight: 0n };
    expect(messages([turn])).toEqual([{ role: 'user', content: 'a', weight: 0 }]);
  });

  const call = { type: 'function', function: { name: 'f', arguments: { a: 1 } } };
  const calling = { role: 'assistant', content: null, tool_calls: [call] };

  test.each<[string, Record<string, unknown>]>([
    ['an object', { role: 'assistant', content: null, tool_calls: [call] }],
    [
      'JSON text, as OpenAI has them',
      {
        role: 'assistant',
        tool_calls: [{ type: 'function', function: { name: 'f', arguments: '{"a": 1}' } }],
      },
    ],
    ['bare', { role: 'assistant', tool_calls: [{ name: 'f', arguments: { a: 1 } }] }],
    ['text of a list', { role: 'assistant', tool_calls: '[{"name": "f", "arguments": {"a": 1}}]' }],
    [
      'the one call of old',
      { role: 'assistant', function_call: { name: 'f', arguments: '{"a":1}' } },
    ],
    ['in ShareGPT', { from: 'function_call', value: '{"name": "f", "arguments": {"a": 1}}' }],
    [
      'large integers of Parquet',
      { role: 'assistant', tool_calls: [{ name: 'f', arguments: { a: 1n } }] },
    ],
  ])('calls: %s', (_, turn) => {
    expect(messages([turn])).toEqual([calling]);
  });

  test('a call keeps its id, and arguments that are no JSON stay text', () => {
    const turn = {
      role: 'assistant',
      content: 'so',
      tool_calls: [{ id: 'x', name: 'f', arguments: 'a=1' }],
    };
    expect(messages([turn])).toEqual([
      {
        role: 'assistant',
        content: 'so',
        tool_calls: [{ id: 'x', type: 'function', function: { name: 'f', arguments: 'a=1' } }],
      },
    ]);
  });

  const chat = (value: Record<string, unknown>): Example => {
    const shape = recogniseShape(row(value), dataOptions());
    return shape.example(row(value));
  };
  const turns = [{ role: 'user', content: 'a' }];

  test('functions in a column beside, as a list or its text, bare or not', () => {
    const tool = { type: 'function', function: { name: 'f', parameters: {} } };
    const bare = { name: 'f', parameters: {} };
    for (const tools of [[tool], [bare], JSON.stringify([tool]), JSON.stringify([bare])]) {
      expect(chat({ messages: turns, tools })).toEqual({
        kind: 'messages',
        messages: turns,
        tools: [tool],
      });
    }
    for (const tools of [null, '', []]) {
      expect(chat({ messages: turns, tools })).toMatchObject({ tools: [] });
    }
    expect(() => chat({ messages: turns, tools: 'none' })).toThrow(
      /"tools" is not a list of functions/,
    );
    expect(() => chat({ messages: turns, tools: [{}] })).toThrow(
      /function 1 in the column "tools" has no name/,
    );
    expect(recogniseShape(row({ messages: turns, tools: [] }), dataOptions()).description).toBe(
      'messages + tools',
    );
  });

  test('a system prompt in a column of its own comes first', () => {
    const system = { role: 'system', content: 'S' };
    expect(chat({ conversations: turns, system: 'S' })).toMatchObject({
      messages: [system, ...turns],
    });
    expect(chat({ messages: [system, ...turns], system: 'S' })).toMatchObject({
      messages: [system, ...turns],
    });
    expect(chat({ messages: turns, system: null })).toMatchObject({ messages: turns });
    expect(() => chat({ messages: turns, system: ['S'] })).toThrow(
      'the column "system" holds a list, not text',
    );
    expect(() => chat({ messages: [system, ...turns], system: 'T' })).toThrow(
      /two different system prompts/,
    );
  });

  test.each([
    ['text', /is not a list of turns/],
    [[], /has no turns/],
    [['hi'], /^turn 1 is not an object/],
    [[{ role: 'user', content: 'a' }, { content: 'b' }], /^turn 2 has no role/],
    [[{ role: 'narrator', content: 'b' }], /^turn 1 has the unknown role "narrator"; known roles/],
    [[{ role: 'constructor', content: 'b' }], /unknown role "constructor"/],
    [[{ role: 'user' }], /^turn 1 has no text/],
    [
      [{ role: 'assistant', tool_calls: [{}] }],
      /^turn 1 has a call that is not an object with a name/,
    ],
    [[{ from: 'function_call', value: 'f(1)' }], /^turn 1 has a call that is not an object/],
    [[{ role: 'user', content: [{ type: 'image_url' }] }], /^turn 1 has content that is not text/],
  ])('%j is a bad row', (value, message) => {
    expect(() => messages(value)).toThrow(RowError);
    expect(() => messages(value)).toThrow(message);
  });
});
