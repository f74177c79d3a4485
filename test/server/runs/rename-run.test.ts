import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { RunLock, readLock } from '../../../engine/train/run-lock.ts';
import { NO_NOTES } from '../../../server/protocol/run-notes-schema.ts';
import { renameRun } from '../../../server/runs/rename-run.ts';
import { changeNotes, readNotes } from '../../../server/runs/run-notes.ts';
import { startedEvent } from '../../support/journal-events.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function runFolder(): Promise<string> {
  const folder = path.join(await tempFolder(), 'first');
  await mkdir(folder);
  const entry = { time: '2026-01-01T00:00:00.000Z', ...startedEvent() };
  await writeFile(path.join(folder, 'events.jsonl'), `${JSON.stringify(entry)}\n`);
  return folder;
}

test('a run gets another name, and nobody holds it then', async () => {
  const folder = await runFolder();
  const renamed = await renameRun(folder, 'Größer – 2');
  expect(renamed).toBe(path.join(path.dirname(folder), 'Größer – 2'));
  expect(await readdir(renamed)).toEqual(['events.jsonl']);
  expect(await readLock(renamed)).toBeUndefined();
  await expect(access(folder)).rejects.toThrow('ENOENT');
});

test('a name that cannot be one is refused', async () => {
  await expect(renameRun(await runFolder(), 'a/b')).rejects.toMatchObject({
    code: 'usage.invalid',
    message: 'A name cannot hold /; leave it out.',
  });
});

test('nothing is replaced, and a run that goes on keeps its name', async () => {
  const folder = await runFolder();
  await mkdir(path.join(path.dirname(folder), 'taken'));
  await expect(renameRun(folder, 'taken')).rejects.toThrow('something of the name "taken"');
  const lock = await RunLock.acquire(folder);
  await expect(renameRun(folder, 'other')).rejects.toThrow('goes on; stop it');
  await lock.release();
});

test('notes are kept, replaced, and gone when nothing is left of them', async () => {
  const folder = await tempFolder();
  expect(await readNotes(folder)).toEqual(NO_NOTES);
  const notes = { text: 'Ünïcode\nand more', tags: ['a', 'b c'] };
  await changeNotes(folder, notes);
  expect(await readNotes(folder)).toEqual(notes);
  // Another window has written the tags; who writes the text has not read them.
  await changeNotes(folder, { text: 'later' });
  expect(await readNotes(folder)).toEqual({ ...notes, text: 'later' });
  await changeNotes(folder, NO_NOTES);
  expect(await readdir(folder)).toEqual([]);
});

test.each([
  '{"version":2,"notes":{"text":"","tags":[]}}',
  '{"version":1,"notes":{"text":7,"tags":[]}}',
  `{"version":1,"notes":{"text":"","tags":[${'"x",'.repeat(30)}"x"]}}`,
  '['.repeat(1000),
  'x'.repeat(2 ** 17),
])('notes that cannot be understood are none', async (content) => {
  const folder = await tempFolder();
  await writeFile(path.join(folder, 'notes.json'), content);
  expect(await readNotes(folder)).toEqual(NO_NOTES);
});
