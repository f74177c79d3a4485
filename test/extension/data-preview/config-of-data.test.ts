import { expect, test, vi } from 'vitest';
import { dataFilesOf } from '../../../extension/data-preview/config-of-data.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

test('the data files that a configuration names, without slices', () => {
  const text = `// A comment
  { "data": {
    "dataset_name_or_path": ["rows.jsonl[:100]", "/other/chat.csv", 3],
    "eval_dataset_name_or_path": "../held [out].csv",
  } }`;
  expect(dataFilesOf(text, '/work/runs')).toEqual([
    '/work/runs/rows.jsonl',
    '/other/chat.csv',
    '/work/held [out].csv',
  ]);
  expect(dataFilesOf('{"data": 1', '/work')).toEqual([]);
  expect(dataFilesOf('', '/work')).toEqual([]);
});
