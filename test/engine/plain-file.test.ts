import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { link, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Journal } from '../../engine/files/append.ts';
import { openPlainFile } from '../../engine/plain-file.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Puts something that is no file in the place of one. */
const IMPOSTORS: Readonly<Record<string, (file: string, outside: string) => Promise<unknown>>> = {
  'a link': (file, outside) => symlink(outside, file),
  'a link that leads nowhere yet': (file, outside) => symlink(`${outside}-new`, file),
  'a folder': (file) => mkdir(file),
  'a pipe': async (file) => execFileSync('mkfifo', [file]),
  'a device': (file) => symlink('/dev/full', file),
  'a socket': async (file) => {
    const server = net.createServer().listen(file);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
  },
};

describe.skipIf(process.platform === 'win32')('in the place of a journal', () => {
  test.each(Object.entries(IMPOSTORS))('%s is refused, and nothing waits', async (name, put) => {
    const folder = await tempFolder();
    const [file, outside] = [path.join(folder, 'log'), path.join(folder, 'outside')];
    await writeFile(outside, 'untouched');
    await put(file, outside);
    const before = await lstat(file);
    await expect(Journal.open(file)).rejects.toMatchObject({
      code: 'output.not_writable',
      message: expect.stringContaining(`Cannot write to ${file}: a `) as string,
    });
    await expect(openPlainFile(file, constants.O_RDONLY)).rejects.toThrow(
      name.startsWith('a link') || name === 'a device' ? 'a link is in its place' : name,
    );
    expect(await lstat(file)).toMatchObject({ ino: before.ino, mode: before.mode });
    expect(await readFile(outside, 'utf8')).toBe('untouched');
    await expect(stat(`${outside}-new`)).rejects.toThrow('ENOENT');
  });
});

test('a journal that has other names becomes a copy, so that those stay as they are', async () => {
  const folder = await tempFolder();
  const [file, backup] = [path.join(folder, 'log'), path.join(folder, 'backup')];
  await writeFile(backup, 'first\nunfin');
  await link(backup, file);
  const journal = await Journal.open(file);
  await journal.append('second');
  await journal.close();
  expect(await readFile(file, 'utf8')).toBe('first\nunfin\nsecond\n');
  expect(await readFile(backup, 'utf8')).toBe('first\nunfin');
});
