import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../../engine/data/dataset.ts';
import type { DataOptions } from '../../../engine/data/options.ts';
import { goldenJson } from '../../support/golden.ts';
import { byteLevelTokenizer } from '../tokenizer/tiny-tokenizer.ts';
import { dataOptions } from './data-options.ts';
import { type GoldenChats, goldenTokenizer } from './golden-chats.ts';
import { markedText } from './marked-text.ts';
import { jsonl, useTempFiles } from './temp-files.ts';

const write = useTempFiles();
const { templates, rows } = goldenJson<GoldenChats>('chats', 'chats.json');
const TWO_CALLS = rows['two calls at once']!;

/** What is learned of a row, piece by piece. */
async function learned(
  template: string,
  row: unknown,
  changes: Partial<DataOptions> = {},
): Promise<readonly string[]> {
  const file = await write('row.jsonl', jsonl(row));
  const tokenizer = await goldenTokenizer(templates[template]!);
  const { examples } = await loadDataset([file], tokenizer, dataOptions(changes));
  const text = markedText(examples[0]!, tokenizer, ['⟦', '⟧']);
  return [...text.matchAll(/⟦([^⟧]*)⟧/g)].map(([, piece]) => piece!);
}

const call = (city: string): string =>
  `<tool_call>\n{"name": "get_weather", "arguments": {"city": "${city}"}}\n</tool_call>`;

describe('of a conversation with calls', () => {
  test('calls and answers are learned, nothing of results, functions and questions', async () => {
    const expected = [
      `${call('Rome')}\n${call('Oslo')}<|im_end|>`,
      'Rome 20, Oslo 5.<|im_end|>',
      'Sure.<|im_end|></s>',
    ];
    expect(await learned('qwen-tools', TWO_CALLS)).toEqual(expected);
    expect(await learned('qwen-tools', TWO_CALLS, { train_on: 'assistant' })).toEqual(expected);
  });

  test('the last answer alone, in every kind of template', async () => {
    const options = { train_on: 'last_assistant' } as const;
    expect(await learned('qwen-tools', TWO_CALLS, options)).toEqual(['Sure.<|im_end|></s>']);
    expect(await learned('mistral-tools', TWO_CALLS, options)).toEqual([' Sure.</s>']);
    expect(await learned('marked', TWO_CALLS, options)).toEqual(['Sure.<|im_end|>\n']);
    expect(await learned('marked-parts', TWO_CALLS, options)).toEqual([
      '<|im_start|>assistant\nSure.<|im_end|>\n',
    ]);
  });

  test('or a call, where the conversation ends with it: all blocks of its turn', async () => {
    const row = { ...TWO_CALLS, messages: (TWO_CALLS.messages as unknown[]).slice(0, 2) };
    const options = { train_on: 'last_assistant' } as const;
    expect(await learned('marked-parts', row, options)).toEqual([
      '<|im_start|>assistant\n\n<tool_call>get_weather:{"city": "Rome"}</tool_call>',
      '<tool_call>get_weather:{"city": "Oslo"}</tool_call>',
    ]);
  });

  test('every token, as with completion_only_loss: false', async () => {
    for (const template of ['qwen-tools', 'marked']) {
      const all = await learned(template, TWO_CALLS, { train_on: 'all' });
      expect(all).toEqual(await learned(template, TWO_CALLS, { completion_only_loss: false }));
      expect(all.join('')).toMatch(/Weather in Rome and Oslo\?[\s\S]*Sure\.<\|im_end\|>/);
    }
  });
});

describe('answers of weight 0', () => {
  const messages = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'bad', weight: 0 },
    { role: 'user', content: 'b' },
    { role: 'assistant', content: 'good' },
    { role: 'user', content: 'c' },
    { role: 'assistant', content: 'late', weight: 0 },
  ];

  test('are passed over where the template has blocks of its own', async () => {
    expect(await learned('marked', { messages })).toEqual(['good<|im_end|>\n']);
  });

  test('are not the last one', async () => {
    for (const template of ['marked', 'chatml']) {
      const [answer, ...others] = await learned(
        template,
        { messages },
        { train_on: 'last_assistant' },
      );
      expect(answer).toMatch(/^good<\|im_end\|>/);
      expect(others).toEqual([]);
    }
  });
});

test('of a prompt with its completion there is no last answer, and all of it can be learned', async () => {
  const row = { prompt: 'p', completion: 'c' };
  await expect(learned('chatml', row, { train_on: 'last_assistant' })).rejects.toMatchObject({
    code: 'config.contradiction',
    message: expect.stringMatching(/a prompt with one completion \(prompt → completion\)/),
  });
  expect(await learned('chatml', row, { train_on: 'assistant' })).toEqual(['c<|im_end|></s>']);
  expect(await learned('chatml', row, { train_on: 'all' })).toEqual([
    'user\np<|im_end|>\n<|im_start|>assistant\nc<|im_end|></s>',
  ]);
  await expect(
    learned('chatml', { text: 't' }, { train_on: 'last_assistant' }),
  ).rejects.toMatchObject({ code: 'config.contradiction' });
});

test('a template that marks nothing of a conversation says so', async () => {
  const file = await write(
    'row.jsonl',
    jsonl({
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
    }),
  );
  const tokenizer = byteLevelTokenizer({
    chatTemplate:
      '{% for m in messages %}{{ m.content }}{% if m.thought %}{% generation %}x{% endgeneration %}{% endif %}{% endfor %}',
  });
  await expect(loadDataset([file], tokenizer, dataOptions())).rejects.toMatchObject({
    code: 'data.no_supervision',
    message: expect.stringMatching(/generation blocks, and none of them in this conversation/),
  });
});

describe('what a template does not write is told with the row', () => {
  const said = async (template: string, row: unknown): Promise<string> =>
    learned(template, row).then(
      () => 'learned',
      (error: unknown) => String(error),
    );
  const hi = { role: 'user', content: 'hi' };
  const answer = { role: 'assistant', content: 'yo' };

  test.each<[string, string, unknown, RegExp]>([
    [
      'functions',
      'chatml',
      { ...TWO_CALLS },
      /row\.jsonl:1: the model's chat template does not write the functions in the column "tools"/,
    ],
    [
      'a call beside a text',
      'chatml',
      { messages: [hi, { ...answer, tool_calls: [{ name: 'f' }] }] },
      /does not write the call of turn 2/,
    ],
    [
      'a call alone',
      'chatml',
      { messages: [hi, { role: 'assistant', tool_calls: [{ name: 'f' }] }] },
      /refuses the conversation, which has calls of functions \(.*\); give one that knows them in data\.chat_template/,
    ],
    [
      'more than one call',
      'llama3-tools',
      TWO_CALLS,
      /which has calls of functions \(One call at a time\.\)/,
    ],
    [
      'a text beside a call',
      'llama3-tools',
      { messages: [hi, { ...answer, tool_calls: [{ name: 'f' }] }] },
      /does not write the text of turn 2 \(assistant\)/,
    ],
    [
      'a role',
      'mistral-tools',
      { messages: [hi, { role: 'system', content: 'late' }, answer] },
      /does not write the text of turn 2 \(system\)/,
    ],
  ])('%s', async (_, template, row, message) => {
    expect(await said(template, row)).toMatch(message);
  });

  test('but texts that it writes in another way are fine', async () => {
    expect(await said('llama3-tools', rows['a call'])).toBe('learned');
    expect(await said('qwen-tools', TWO_CALLS)).toBe('learned');
  });

  test('a template that adds an object to a text is refused, as in Python', async () => {
    const file = await write(
      'object.jsonl',
      jsonl({
        messages: [hi, { role: 'assistant', tool_calls: [{ name: 'f', arguments: { a: 1 } }] }],
      }),
    );
    const tokenizer = byteLevelTokenizer({
      chatTemplate:
        "{% for m in messages %}{{ m.role + ': ' }}{% if m.tool_calls %}{{ m.tool_calls[0].function.name + m.tool_calls[0].function.arguments }}{% else %}{{ m.content }}{% endif %}{% endfor %}",
    });
    await expect(loadDataset([file], tokenizer, dataOptions())).rejects.toThrow(/adds an object/);
  });
});

describe('generation blocks', () => {
  const render = (chatTemplate: string, content = 'hi') =>
    byteLevelTokenizer({ chatTemplate }).renderChat([{ role: 'user', content }], {
      addGenerationPrompt: false,
    });

  test('nested ones count once, empty ones not at all, and filters see only the text', () => {
    const { text, generated } = render(
      'a{% generation %}b{% generation %}c{% endgeneration %}d{% endgeneration %}{% generation %}{% endgeneration %}{%- generation -%}  e  {%- endgeneration -%}  f',
    );
    expect(text).toBe('abcdef');
    expect(generated).toEqual([
      { start: 1, end: 4 },
      { start: 4, end: 5 },
    ]);
  });

  test('inside a macro they are where the macro writes', () => {
    const { text, generated } = render(
      '{% macro say(x) %}<{% generation %}{{ x }}{% endgeneration %}>{% endmacro %}{% for m in messages %}{{ say(m.content) | upper }}{% endfor %}',
    );
    expect(text).toBe('<HI>');
    expect(generated).toEqual([{ start: 1, end: 3 }]);
  });

  test('turns cannot bring marks of their own', () => {
    const template =
      '{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}';
    expect(() => render(template, 'a\uFDD1\uFDD0b')).toThrow(/U\+FDD0/);
  });

  test('a block without an end is no template', () => {
    expect(() => render('{% generation %}a')).toThrow(/is not valid Jinja/);
  });
});
