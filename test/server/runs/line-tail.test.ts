import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { LineTail } from '../../../server/runs/line-tail.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function read(tail: LineTail): Promise<string[]> {
  const lines: string[] = [];
  for await (const piece of tail.read()) lines.push(...piece);
  return lines;
}

test('yields each complete line once, as the file grows', async () => {
  const file = path.join(await tempFolder(), 'file');
  const tail = new LineTail(file);
  expect(await read(tail)).toEqual([]);
  await writeFile(file, 'one\ntwo\nth');
  expect(await read(tail)).toEqual(['one', 'two']);
  expect(await read(tail)).toEqual([]);
  await appendFile(file, 'ree\n\nfo');
  expect(await read(tail)).toEqual(['three']);
  await appendFile(file, 'ur\n');
  expect(await read(tail)).toEqual(['four']);
});

test('reads a long file in pieces, whatever they cut through', async () => {
  const file = path.join(await tempFolder(), 'file');
  const lines = Array.from({ length: 20_000 }, (_, index) => `${index} ${'é'.repeat(index % 40)}`);
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  const pieces: (readonly string[])[] = [];
  for await (const piece of new LineTail(file).read()) pieces.push(piece);
  expect(pieces.length).toBeGreaterThan(2);
  expect(pieces.flat()).toEqual(lines);
});

test('a file that was replaced by a shorter one is read from its start', async () => {
  const file = path.join(await tempFolder(), 'file');
  await writeFile(file, 'a long line\nan unfinished on');
  const tail = new LineTail(file);
  await read(tail);
  await writeFile(file, 'new\n');
  expect(await read(tail)).toEqual(['new']);
});
