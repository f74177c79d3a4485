import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Journal } from '../../engine/files/append.ts';
import { writeAtomically, writeFileAtomic } from '../../engine/files/atomic-file.ts';
import { copyFile, createFile } from '../../engine/files/create-file.ts';
import { ensureFolder, renameFolder } from '../../engine/files/folders.ts';
import { notWritable } from '../../engine/files/not-writable.ts';
import { removeFolder } from '../../engine/files/remove.ts';
import { tempFolder } from '../support/temp-folder.ts';

describe('atomic files', () => {
  test('a file is replaced as a whole and nothing else is left behind', async () => {
    const folder = await tempFolder();
    const file = path.join(folder, 'a.json');
    await writeFileAtomic(file, 'old');
    await writeFileAtomic(file, new Uint8Array([110, 101, 119]));
    expect(await readFile(file, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  test('a writer that fails midway leaves the old content and no temporary file', async () => {
    const folder = await tempFolder();
    const file = path.join(folder, 'a.bin');
    await writeFileAtomic(file, 'old');
    const failing = writeAtomically(file, async (output) => {
      await output.write(new Uint8Array(1000));
      throw new Error('no more data');
    });
    await expect(failing).rejects.toThrow('no more data');
    expect(await readFile(file, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a.bin']);
  });

  test('a target that is a folder is refused and kept, without a temporary file', async () => {
    const folder = await tempFolder();
    await mkdir(path.join(folder, 'taken', 'inner'), { recursive: true });
    await expect(writeFileAtomic(path.join(folder, 'taken'), 'x')).rejects.toMatchObject({
      code: 'output.not_writable',
    });
    expect(await readdir(folder)).toEqual(['taken']);
  });

  test('copies', async () => {
    const folder = await tempFolder();
    const content = Buffer.alloc(3 << 20, 'abc');
    await writeFile(path.join(folder, 'a'), content);
    await copyFile(path.join(folder, 'a'), path.join(folder, 'b'), 'adapter.corrupt');
    expect((await readFile(path.join(folder, 'b'))).equals(content)).toBe(true);
  });
});

describe('folders', () => {
  test('are made, renamed and removed', async () => {
    const folder = await tempFolder();
    await ensureFolder(path.join(folder, 'a/b'));
    await ensureFolder(path.join(folder, 'a/b'));
    await renameFolder(path.join(folder, 'a'), path.join(folder, 'c'));
    expect(await readdir(path.join(folder, 'c'))).toEqual(['b']);
    await removeFolder(path.join(folder, 'c'));
    await removeFolder(path.join(folder, 'c'));
    expect(await readdir(folder)).toEqual([]);
  });

  test('below a file cannot be made, and the message names the path and the cause', async () => {
    const folder = await tempFolder();
    await writeFile(path.join(folder, 'file'), '');
    const target = path.join(folder, 'file', 'run');
    await expect(ensureFolder(target)).rejects.toMatchObject({
      code: 'output.not_writable',
      message: expect.stringMatching(/file\/run: a part of that path is a file.*choose another/),
    });
  });
});

test('a journal grows by whole lines and goes on where it ended', async () => {
  const file = path.join(await tempFolder(), 'events.jsonl');
  for (const lines of [['{"a":1}', '{"a":2}'], ['{"a":3}']]) {
    const journal = await Journal.open(file);
    for (const line of lines) await journal.append(line);
    await journal.sync();
    await journal.close();
  }
  expect(await readFile(file, 'utf8')).toBe('{"a":1}\n{"a":2}\n{"a":3}\n');
});

test('a line that a crash left unfinished stays alone', async () => {
  const file = path.join(await tempFolder(), 'events.jsonl');
  await writeFile(file, '{"a":1}\n{"a":');
  const journal = await Journal.open(file);
  await journal.append('{"a":2}');
  await journal.close();
  expect(await readFile(file, 'utf8')).toBe('{"a":1}\n{"a":\n{"a":2}\n');
});

test('a file is created once', async () => {
  const file = path.join(await tempFolder(), 'lock');
  const attempts = ['1', '2', '3'].map((content) => createFile(file, content));
  expect((await Promise.all(attempts)).filter(Boolean)).toHaveLength(1);
  expect(await createFile(file, '4')).toBe(false);
  expect(await readFile(file, 'utf8')).toMatch(/^[123]$/);
  await expect(createFile(path.join(file, 'x'), '')).rejects.toMatchObject({
    code: 'output.not_writable',
  });
});

test.each([
  ['EACCES', /permission/],
  ['EROFS', /read-only/],
  ['ENOSPC', /disk is full/],
  ['EWEIRD', /something odd; choose another output folder/],
])('%s is explained', (code, expected) => {
  const error = notWritable('/out/run', Object.assign(new Error('something odd'), { code }));
  expect(error.code).toBe('output.not_writable');
  expect(error.message).toMatch(expected);
  expect(error.message).toContain('/out/run');
});
