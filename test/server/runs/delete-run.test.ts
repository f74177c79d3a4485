import { access, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { RunLock } from '../../../engine/train/run-lock.ts';
import { deleteRun, deletionOf } from '../../../server/runs/delete-run.ts';
import { initialStatus } from '../../../server/runs/run-status.ts';
import { writeStateFile } from '../../../server/runs/state-file.ts';
import { startedEvent } from '../../support/journal-events.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const TIME = '2026-01-01T00:00:00.000Z';

/** Files by their paths from a folder, each ten bytes long. */
async function put(folder: string, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), '0123456789');
  }
}

/** A run folder with a checkpoint and an adapter. */
async function runFolder(): Promise<string> {
  const folder = path.join(await tempFolder(), 'run');
  await put(
    folder,
    'adapter_config.json',
    'adapter_model.safetensors',
    'checkpoint-2/adapter_model.safetensors',
    'checkpoint-2/optimizer.safetensors',
    'checkpoint-2/trainer_state.json',
    'checkpoint-4.partial/adapter_model.safetensors',
    '.adapter.tmp/adapter_model.safetensors',
    '.checkpoint-1.77-0123abcd.tmp/adapter_model.safetensors',
  );
  await writeStateFile(folder, {
    version: 1,
    pid: 1,
    address: null,
    protocolVersion: 1,
    heartbeat: TIME,
    queued: TIME,
    configFile: null,
    status: initialStatus('completed', TIME),
  });
  return folder;
}

test('all that a run has written goes, and its folder', async () => {
  const folder = await runFolder();
  const { bytes, checkpoints, others } = await deletionOf(folder);
  expect({ checkpoints, others }).toEqual({ checkpoints: 2, others: [] });
  expect(bytes).toBeGreaterThan(80);
  expect(await deleteRun(folder)).toEqual({ bytes, others: [] });
  await expect(access(folder)).rejects.toThrow('ENOENT');
});

test('what somebody else has put there stays, and nothing is followed', async () => {
  const folder = await runFolder();
  const elsewhere = await tempFolder();
  await put(elsewhere, 'mine.txt', 'trainer_state.json');
  await put(folder, 'notes.txt', 'config.json', 'checkpoint-2/mine.txt', 'plots/loss.png');
  await symlink(elsewhere, path.join(folder, 'checkpoint-6'));
  await symlink(path.join(elsewhere, 'mine.txt'), path.join(folder, 'run.log'));
  const others = [
    'checkpoint-2/mine.txt',
    'checkpoint-6',
    'config.json',
    'notes.txt',
    'plots',
    'run.log',
  ];
  expect((await deleteRun(folder)).others).toEqual(others);
  const left = ['checkpoint-2', 'checkpoint-6', 'config.json', 'notes.txt', 'plots', 'run.log'];
  expect((await readdir(folder)).toSorted()).toEqual(left);
  expect(await readdir(path.join(folder, 'checkpoint-2'))).toEqual(['mine.txt']);
  expect((await readdir(elsewhere)).toSorted()).toEqual(['mine.txt', 'trainer_state.json']);
  // What is left is no run.
  await expect(deleteRun(folder)).rejects.toMatchObject({ code: 'usage.invalid' });
});

test('a run that goes on is not deleted', async () => {
  const folder = await runFolder();
  const lock = await RunLock.acquire(folder);
  const before = await readdir(folder, { recursive: true });
  for (const attempt of [deletionOf, deleteRun]) {
    await expect(attempt(folder)).rejects.toThrow(`The run in ${folder} goes on; stop it and wait`);
  }
  expect(await readdir(folder, { recursive: true })).toEqual(before);
  await lock.release();
});

test('only what is surely a run is deleted', async () => {
  const folder = await tempFolder();
  await put(folder, 'state.json', 'checkpoint-1/adapter_model.safetensors', 'events.jsonl');
  await expect(deleteRun(folder)).rejects.toThrow('holds nothing that is surely a run’s');
  await expect(deleteRun(path.join(folder, 'missing'))).rejects.toThrow('is not there any more');
  const link = path.join(await tempFolder(), 'link');
  await symlink(await runFolder(), link);
  await expect(deleteRun(link)).rejects.toThrow('is not a folder of its own');
  await writeFile(
    path.join(folder, 'events.jsonl'),
    `${JSON.stringify({ time: TIME, ...startedEvent() })}\n`,
  );
  expect((await deleteRun(folder)).others).toEqual([]);
});
