import { describe, expect, test } from 'vitest';
import { loadDataset } from '../../../engine/data/dataset.ts';
import type { Dataset } from '../../../engine/data/dataset-builder.ts';
import type { DataOptions } from '../../../engine/data/options.ts';
import { MAX_LISTED_ISSUES } from '../../../engine/data/report.ts';
import { splitExamples } from '../../../engine/data/split.ts';
import { byteLevelFiles, byteLevelTokenizer } from '../tokenizer/tiny-tokenizer.ts';
import { dataOptions } from './data-options.ts';
import { jsonl, useTempFiles } from './temp-files.ts';

const write = useTempFiles();
const tokenizer = byteLevelTokenizer({ chatTemplate: null });

async function load(content: string, changes: Partial<DataOptions> = {}): Promise<Dataset> {
  return loadDataset([await write('rows.jsonl', content)], tokenizer, dataOptions(changes));
}

const qa = (question: string, answer: unknown): unknown => ({ question, answer });

test('every row is counted once, with its place and reason', async () => {
  const content = `${jsonl(qa('a', 'bc'), qa('a'.repeat(30), 'b'))}broken\n${jsonl(
    qa('a', null),
    qa('a', ' '),
    qa('ab', 'x'.repeat(30)),
  )}`;
  const { examples, report } = await load(content, { max_length: 20, max_bad_rows: 2 });
  const file = examples[0]!.file;
  expect(report).toMatchObject({
    rows: 6,
    used: 2,
    tokens: 4 + 20,
    supervisedTokens: 3 + 18,
    truncatedRows: 1,
    longest: 20,
    shapes: ['question → answer'],
    truncated: {
      count: 1,
      first: [{ file, line: 6, reason: 'the row is longer than max_length (20 tokens)' }],
    },
    dropped: {
      count: 2,
      first: [
        { file, line: 3, reason: expect.stringMatching(/not valid JSON/) },
        { file, line: 4, reason: 'the column "answer" is null, not text' },
      ],
    },
    neverSupervised: {
      count: 2,
      first: [
        { file, line: 2, reason: 'the prompt alone fills max_length (20 tokens)' },
        { file, line: 5, reason: 'the completion is empty' },
      ],
    },
  });
  expect(examples.map((example) => example.line)).toEqual([1, 6]);
});

test('counts stay exact where lists are cut', async () => {
  const bad = Array.from({ length: MAX_LISTED_ISSUES + 50 }, () => qa('a', null));
  const { report } = await load(jsonl(qa('a', 'b'), ...bad), { max_bad_rows: 1000 });
  expect(report.dropped.count).toBe(MAX_LISTED_ISSUES + 50);
  expect(report.dropped.first).toHaveLength(MAX_LISTED_ISSUES);
});

test('files of different shapes, and progress', async () => {
  const first = await write('a.txt', 'hello\n');
  const second = await write('b.jsonl', jsonl(...Array.from({ length: 500 }, () => qa('a', 'b'))));
  const progress: [number, number][] = [];
  const { report } = await loadDataset([first, second], tokenizer, dataOptions(), {
    onProgress: (share, rows) => progress.push([share, rows]),
  });
  expect(report.shapes).toEqual(['text', 'question → answer']);
  expect(progress.at(-1)).toEqual([1, 501]);
  expect(progress.map(([share]) => share)).toEqual(progress.map(([share]) => share).toSorted());
  expect(progress).toHaveLength(3);
});

describe('refusals', () => {
  test('bad rows beyond the limit, with the code of the first', async () => {
    const content = `${jsonl(qa('a', 'b'))}broken\n${jsonl(qa('a', null), qa('a', null), qa('a', null))}`;
    await expect(load(content, { max_bad_rows: 3 })).rejects.toMatchObject({
      code: 'data.corrupt',
      location: { line: 2 },
      message: expect.stringMatching(
        /^4 of 5 rows in .*rows\.jsonl cannot be used, and data\.max_bad_rows allows 3: .*rows\.jsonl:2: [^;]*; .*rows\.jsonl:3, .*rows\.jsonl:4: [^;]*; and 1 more; correct the rows/,
      ),
    });
    await expect(load(jsonl(qa('a', 'b'), qa('a', null)))).rejects.toMatchObject({
      code: 'data.bad_rows',
    });
  });

  test.each([
    [true, { text: 'a' }, /apply_chat_template is true, but the rows are plain text \(text\)/],
    [false, { messages: [] }, /apply_chat_template is false, but the rows are conversations/],
  ])('apply_chat_template: %s that cannot be honoured', async (setting, row, message) => {
    await expect(load(jsonl(row), { apply_chat_template: setting })).rejects.toMatchObject({
      code: 'config.contradiction',
      message: expect.stringMatching(message),
    });
  });

  test('no row at all', async () => {
    await expect(load('\n\n')).rejects.toMatchObject({
      code: 'data.empty',
      message: expect.stringMatching(/rows\.jsonl/),
    });
  });

  test('no usable row', async () => {
    await expect(load('broken\n', { max_bad_rows: 10 })).rejects.toMatchObject({
      code: 'data.empty',
      message: expect.stringMatching(
        /None of the 1 rows .*rows\.jsonl:1: the line is not valid JSON/,
      ),
    });
  });

  test.each([
    [
      'the prompt fills max_length',
      [qa('long prompt', 'b')],
      /the prompt alone fills max_length \(8 tokens\)/,
    ],
    ['empty completions', [qa('a', ''), qa('b', '\n')], /the completion is empty/],
    ['empty texts', [{ text: '' }, { text: ' ' }], /the text is empty/],
  ])('no supervised token: %s', async (_, rows, reason) => {
    const run = load(jsonl(...rows), { max_length: 8 });
    await expect(run).rejects.toMatchObject({
      code: 'data.no_supervision',
      message: expect.stringMatching(reason),
    });
  });

  test('no answer in any conversation', async () => {
    const rows = jsonl({ messages: [{ role: 'user', content: 'a' }] });
    const file = await write('chat.jsonl', rows);
    await expect(loadDataset([file], byteLevelTokenizer(), dataOptions())).rejects.toMatchObject({
      code: 'data.no_supervision',
      message: expect.stringMatching(/no assistant turn/),
    });
    const calls = [{ type: 'function', function: { name: 'weather', arguments: {} } }];
    const called = await write(
      'calls.jsonl',
      jsonl({ messages: [{ role: 'assistant', content: null, tool_calls: calls }] }),
    );
    for (const one of [file, called]) {
      await expect(loadDataset([one], tokenizer, dataOptions())).rejects.toMatchObject({
        code: 'data.chat_template',
        message: expect.stringMatching(/^The model in .*tiny-model has no chat template/),
      });
    }
  });

  test('a template that refuses a conversation makes a bad row', async () => {
    const strict = byteLevelTokenizer({
      chatTemplate:
        "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}",
    });
    const [user, answer] = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ];
    const file = await write(
      'strict.jsonl',
      jsonl({ messages: [user, answer] }, { messages: [user, user, answer] }),
    );
    await expect(loadDataset([file], strict, dataOptions())).rejects.toMatchObject({
      code: 'data.chat_template',
      message: expect.stringMatching(/strict\.jsonl:2: .*roles must alternate/),
    });
    const { report } = await loadDataset([file], strict, dataOptions({ max_bad_rows: 1 }));
    expect(report).toMatchObject({ used: 1, dropped: { count: 1 } });
  });

  test('text that the vocabulary cannot write makes a bad row', async () => {
    const { tokenizerJson } = byteLevelFiles();
    const model = { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] };
    const narrow = byteLevelTokenizer({
      tokenizerJson: { ...tokenizerJson, model },
      chatTemplate: null,
    });
    const file = await write('narrow.jsonl', jsonl(qa('a', 'b'), qa('a', 'c')));
    await expect(loadDataset([file], narrow, dataOptions())).rejects.toMatchObject({
      code: 'model.tokenizer',
      message: expect.stringMatching(/narrow\.jsonl:2: .*no token for "c"/),
    });
  });
});

describe('splitExamples', () => {
  test('chosen by the seed, in the original order, nothing lost', async () => {
    const { examples } = await load(
      jsonl(...Array.from({ length: 40 }, (_, i) => qa(`${i}`, 'b'))),
    );
    const split = splitExamples(examples, 0.25, 1);
    const lines = (part: typeof examples): number[] => part.map((example) => example.line);
    expect(split.eval).toHaveLength(10);
    expect(lines(split.eval)).toEqual(lines(split.eval).toSorted((a, b) => a - b));
    expect([...lines(split.train), ...lines(split.eval)].toSorted((a, b) => a - b)).toEqual(
      lines(examples),
    );
    expect(splitExamples(examples, 0.25, 1)).toEqual(split);
    expect(lines(splitExamples(examples, 0.25, 2).eval)).not.toEqual(lines(split.eval));
    expect(splitExamples(examples, 7, 1).eval).toHaveLength(7);
    expect(splitExamples(examples, 0.001, 1).eval).toHaveLength(1);
    expect(() => splitExamples(examples, 40, 1)).toThrow(
      /eval_split \(40\) would hold back all 40/,
    );
  });
});
