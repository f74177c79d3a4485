import { expect, test } from 'vitest';
import { loadDataset } from '../../../engine/data/dataset.ts';
import type { DataOptions } from '../../../engine/data/options.ts';
import { byteLevelTokenizer, CHATML } from '../tokenizer/tiny-tokenizer.ts';
import { dataOptions } from './data-options.ts';
import { jsonl, useTempFiles } from './temp-files.ts';

const write = useTempFiles();
const pair = (prompt: string, completion: string) => ({ prompt, completion });

/** Lines of rows whose completion runs on from the prompt. */
async function linesOf(
  rows: readonly object[],
  chatTemplate: string | null = null,
  changes: Partial<DataOptions> = {},
): Promise<readonly number[]> {
  const file = await write('rows.jsonl', jsonl(...rows));
  const tokenizer = byteLevelTokenizer({ chatTemplate });
  const { report } = await loadDataset([file], tokenizer, dataOptions(changes));
  expect(report.unseparated.count).toBe(report.unseparated.first.length);
  return report.unseparated.first.map(({ line }) => line);
}

test.each([
  ['What is 2 + 2?', '4', true],
  ['Translate: dog', 'Hund', true],
  ['He said "so"', 'Yes', true],
  ['犬はなに？', 'いぬ', true],
  ['Mathematical 𝐀', 'b', true],
  ['What is 2 + 2?', ' 4', false],
  ['What is 2 + 2?\n', '4', false],
  ['What is 2 + 2? ', '4', false],
  ['Q: 2 + 2 A:', '4', false],
  ['2 + 2 =>', '4', false],
  ['[INST] 2 + 2 [/INST]', '4', false],
  ['', 'alone', false],
])('%j and %j', async (prompt, completion, runsTogether) => {
  expect(await linesOf([pair('a ', 'b'), pair(prompt, completion)])).toEqual(
    runsTogether ? [2] : [],
  );
});

test('a chat template separates, unless it is not applied', async () => {
  const rows = [pair('Who?', 'Me.')];
  expect(await linesOf(rows, CHATML)).toEqual([]);
  expect(await linesOf(rows, CHATML, { apply_chat_template: false })).toEqual([1]);
});
