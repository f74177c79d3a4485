import { expect, test, vi } from 'vitest';
import { type ColumnRow, learnedRows, promptRows } from '../../../extension/runs/column-rows.ts';
import type { DataSample } from '../../../server/protocol/data.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const LONG = 'The parcel that I ordered two weeks ago has not come, and nobody answers.';

const sample: DataSample = {
  count: 60,
  columns: ['id', 'ticket', 'reply'],
  rows: Array.from({ length: 5 }, (_, index) => ({
    id: `${index}`,
    ticket: `${index}: ${LONG}`,
    reply: `It is\n  there ${index}.`,
  })),
  recognised: null,
  guess: { kind: 'prompt_completion', prompt_column: 'ticket', completion_column: 'reply' },
};

function rows(all: ReturnType<typeof learnedRows>): readonly ColumnRow[] {
  return all.filter((row): row is ColumnRow => 'choice' in row);
}

test('the suggestion comes first, then each column with its first five values', () => {
  const [suggestion, ...columns] = rows(learnedRows(sample));
  expect(suggestion).toMatchObject({
    label: 'Learn “reply” from “ticket”',
    choice: sample.guess,
    detail: expect.stringMatching(/^0: The parcel .*… → It is there 0\.$/) as string,
  });
  expect(columns.map(({ label }) => label)).toEqual(sample.columns);
  expect(columns[0]!.detail).toBe('0 │ 1 │ 2 │ 3 │ 4');
  expect(columns[1]!.detail!.split(' │ ').map((value) => value[0])).toEqual([...'01234']);
  for (const { detail } of columns) expect(detail!.length).toBeLessThan(100);
});

test('columns with known names need none', () => {
  const [suggestion] = rows(learnedRows({ ...sample, recognised: 'question → answer' }));
  expect(suggestion).toMatchObject({ label: 'Learn question → answer', choice: { kind: 'auto' } });
});

test('a file without text has its columns alone', () => {
  const all = rows(learnedRows({ ...sample, guess: null }));
  expect(all.map(({ label }) => label)).toEqual(sample.columns);
});

test('what is learned is the answer to another column, or all there is', () => {
  expect(promptRows(sample, 'reply').map(({ choice }) => choice)).toEqual([
    { kind: 'prompt_completion', prompt_column: 'id', completion_column: 'reply' },
    { kind: 'prompt_completion', prompt_column: 'ticket', completion_column: 'reply' },
    { kind: 'text', text_column: 'reply' },
  ]);
  const guess = { kind: 'messages', messages_column: 'turns' } as const;
  const [first] = promptRows({ ...sample, columns: ['turns', 'id'], guess }, 'turns');
  expect(first!.choice).toEqual(guess);
});
