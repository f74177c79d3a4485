import { expect, test } from 'vitest';
import { loadDataset } from '../../../engine/data/dataset.ts';
import type { DataOptions } from '../../../engine/data/options.ts';
import { SeenRows, sharedRows } from '../../../engine/data/seen-rows.ts';
import type { TokenizedExample } from '../../../engine/data/tokenized-example.ts';
import { byteLevelTokenizer } from '../tokenizer/tiny-tokenizer.ts';
import { dataOptions } from './data-options.ts';
import { jsonl, useTempFiles } from './temp-files.ts';

const write = useTempFiles();
const tokenizer = byteLevelTokenizer({ chatTemplate: null });

async function load(name: string, rows: readonly unknown[], changes: Partial<DataOptions> = {}) {
  const file = await write(name, jsonl(...rows));
  return { file, ...(await loadDataset([file], tokenizer, dataOptions(changes))) };
}

const pair = (prompt: string, completion: string) => ({ prompt, completion });

test('a row is there before when the model reads and learns the same', async () => {
  const { file, report } = await load('rows.jsonl', [
    pair('ab', 'cde'),
    pair('a', 'bcde'),
    { ...pair('ab', 'cde'), id: 3 },
    pair('ab', 'cdf'),
    pair('ab', 'cde'),
  ]);
  expect(report.used).toBe(5);
  expect(report.duplicates).toMatchObject({
    count: 2,
    first: [
      { file, line: 3, reason: 'the row was there before in line 1' },
      { file, line: 5, reason: 'the row was there before in line 1' },
    ],
  });
});

test('in several files it is named with its file', async () => {
  const first = await write('first.jsonl', jsonl(pair('x', 'one more'), pair('y', 'another')));
  const second = await write('second.jsonl', jsonl(pair('y', 'another')));
  const { report } = await loadDataset([first, second], tokenizer, dataOptions());
  expect(report.duplicates.first).toEqual([
    { file: second, line: 1, reason: `the row was there before from ${first}:2` },
  ]);
});

test('rows of which a single token is learned are told', async () => {
  const rows = [pair('a', 'b'), pair('abcdefgh', 'cut')];
  const { report } = await load('few.jsonl', rows, { max_length: 9 });
  expect(report.nearlyEmpty).toMatchObject({
    count: 1,
    first: [{ line: 2, reason: 'of the row a single token is learned' }],
  });
});

test('held-out rows that are learned too are found whatever file they are in', async () => {
  const train = await load('train.jsonl', [pair('a', 'same'), pair('b', 'other')]);
  const held = await load('held.jsonl', [pair('c', 'new one'), pair('a', 'same')]);
  expect(sharedRows(train.examples, held.examples)).toMatchObject({
    count: 1,
    first: [{ file: held.file, line: 2, reason: `the row is also learned from ${train.file}:1` }],
  });
});

test('among a hundred thousand different rows none is taken for another', () => {
  const seen = new SeenRows();
  const row = (number: number): TokenizedExample => ({
    inputIds: Int32Array.of(number, 7),
    supervised: Uint8Array.of(0, 1),
    truncated: false,
    file: 'rows.jsonl',
    line: number + 1,
  });
  const known: unknown[] = [];
  for (let number = 0; number < 100_000; number++) {
    const place = seen.add(row(number));
    if (place !== undefined) known.push(place);
  }
  expect(known).toEqual([]);
  expect(seen.find(row(99_999))).toEqual({ file: 'rows.jsonl', line: 100_000 });
});
