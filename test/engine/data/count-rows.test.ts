import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { countRows } from '../../../engine/data/count-rows.ts';
import { readRows } from '../../../engine/data/rows.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function file(name: string, content: string): Promise<string> {
  const location = path.join(await tempFolder(), name);
  await writeFile(location, content);
  return location;
}

test.each([
  ['rows.jsonl', '{"a":1}\n\n  \t\r\n{"a":2}\r\n{"a":3}'],
  ['rows.jsonl', '{"a":1}\n'],
  ['rows.jsonl', '\n \n'],
  ['rows.txt', '\u{feff}one\n\ntwo\n'],
  ['rows.csv', 'a,b\n1,"two\nlines"\n2,3\n'],
  ['rows.json', '[{"a":1},{"a":2}]'],
])('%s %j: as many rows as are read', async (name, content) => {
  const location = await file(name, content);
  let read = 0;
  for await (const _ of readRows([location])) read += 1;
  expect(await countRows(location)).toEqual({ rows: read, isExact: true });
});

test('a slice counts what it picks', async () => {
  const location = await file('rows.jsonl', '{"a":1}\n'.repeat(10));
  const count = async (slice: string) => (await countRows(location + slice)).rows;
  expect(await Promise.all(['[:4]', '[8:]', '[2:5]', '[20:]'].map(count))).toEqual([4, 2, 3, 0]);
});

test('a large file of parsed rows is inferred from its beginning', async () => {
  const location = await file('rows.csv', `a\n${'1234567\n'.repeat(30_000)}`);
  const { rows, isExact } = await countRows(location);
  expect(isExact).toBe(false);
  expect(Math.abs(rows - 30_000)).toBeLessThan(300);
});

test('a missing file says so', async () => {
  await expect(countRows('/nowhere/rows.jsonl')).rejects.toMatchObject({ code: 'data.not_found' });
});
