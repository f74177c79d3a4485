import { execFileSync } from 'node:child_process';
import { appendFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { LineTail, type TailLine } from '../../../server/runs/line-tail.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** Longer than any line here that is not about its length. */
const MAX = 1000;

async function lines(tail: LineTail): Promise<TailLine[]> {
  const found: TailLine[] = [];
  for await (const piece of tail.read()) found.push(...piece);
  return found;
}

async function read(tail: LineTail): Promise<(string | undefined)[]> {
  return (await lines(tail)).map(({ text }) => text);
}

test('yields each complete line once, as the file grows', async () => {
  const file = path.join(await tempFolder(), 'file');
  const tail = new LineTail(file, MAX);
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
  const texts = Array.from({ length: 20_000 }, (_, index) => `${index} ${'é'.repeat(index % 40)}`);
  await writeFile(file, texts.map((line) => `${line}\n`).join(''));
  const pieces: (readonly TailLine[])[] = [];
  for await (const piece of new LineTail(file, MAX).read()) pieces.push(piece);
  expect(pieces.length).toBeGreaterThan(2);
  expect(pieces.flat().map(({ text }) => text)).toEqual(texts);
});

test('a file that was replaced by a shorter one is read from its start', async () => {
  const file = path.join(await tempFolder(), 'file');
  await writeFile(file, 'a long line\nan unfinished on');
  const tail = new LineTail(file, MAX);
  await read(tail);
  await writeFile(file, 'new\n');
  expect(await read(tail)).toEqual(['new']);
});

test('lines are numbered as they stand, blank ones among them', async () => {
  const file = path.join(await tempFolder(), 'file');
  await writeFile(file, '\none\n\n');
  const tail = new LineTail(file, MAX);
  expect(await lines(tail)).toEqual([{ number: 2, text: 'one' }]);
  await appendFile(file, 'four\n');
  expect(await lines(tail)).toEqual([{ number: 4, text: 'four' }]);
});

describe('a line that is too long', () => {
  test('is skipped to its end, wherever that is written', async () => {
    const file = path.join(await tempFolder(), 'file');
    const tail = new LineTail(file, 8);
    await writeFile(file, `12345678\n123456789\nthree\n${'x'.repeat(300_000)}`);
    expect(await lines(tail)).toEqual([
      { number: 1, text: '12345678' },
      { number: 2, text: undefined },
      { number: 3, text: 'three' },
    ]);
    await appendFile(file, 'x'.repeat(300_000));
    expect(await lines(tail)).toEqual([]);
    await appendFile(file, 'x\nfive\n');
    expect(await lines(tail)).toEqual([
      { number: 4, text: undefined },
      { number: 5, text: 'five' },
    ]);
  });

  test('takes time in proportion to it, and no memory', async () => {
    const file = path.join(await tempFolder(), 'file');
    await writeFile(file, Buffer.alloc(200 * 2 ** 20, 0x61));
    await appendFile(file, '\nend\n');
    const before = process.memoryUsage().rss;
    const start = performance.now();
    expect(await read(new LineTail(file, MAX))).toEqual([undefined, 'end']);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });
});

describe.skipIf(process.platform === 'win32')('what is no regular file is empty', () => {
  test('a link', async () => {
    const folder = await tempFolder();
    const file = path.join(folder, 'file');
    await writeFile(path.join(folder, 'elsewhere'), 'secret\n');
    await symlink('elsewhere', file);
    const tail = new LineTail(file, MAX);
    expect(await read(tail)).toEqual([]);
    expect(tail.problem).toBe('a link is in its place');
  });

  test('a pipe, for whose other end nobody waits', async () => {
    const file = path.join(await tempFolder(), 'pipe');
    execFileSync('mkfifo', [file]);
    const tail = new LineTail(file, MAX);
    expect(await read(tail)).toEqual([]);
    expect(tail.problem).toBe('a pipe is in its place');
  });

  test('a folder', async () => {
    const tail = new LineTail(await tempFolder(), MAX);
    expect(await read(tail)).toEqual([]);
    expect(tail.problem).toBe('a folder is in its place');
  });
});
