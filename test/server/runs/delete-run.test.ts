import { access, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { configSchema } from '../../../engine/config/schema.ts';
import { RunLock } from '../../../engine/train/run-lock.ts';
import { writeRunRecord } from '../../../engine/train/run-record.ts';
import { deleteRun, deletionOf } from '../../../server/runs/delete-run.ts';
import { startedEvent } from '../../support/journal-events.ts';
import { storeState } from '../../support/state-file.ts';
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
  await storeState(folder, TIME);
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

describe('what a run is reported in', () => {
  const ID = '0123456789abcdef0123456789abcdef';
  const OWN = [
    'runs/run-01234567/events.out.tfevents.1.lorafa',
    `runs/mlruns/0/${ID}/metrics/loss`,
    'runs/wandb/offline-run-20260101_000000-01234567/run-01234567.wandb',
  ];

  async function reportedRun(): Promise<string> {
    const folder = await runFolder();
    const config = configSchema.parse({
      model: { base_model_name_or_path: '/base' },
      data: { dataset_name_or_path: '/rows.jsonl' },
      training: { output_dir: folder, report_to: ['tensorboard'] },
    });
    const lineage = [{ session: 'a', from: 0 }];
    await writeRunRecord(folder, { config, lineage, tracked: { id: ID, name: 'run' } });
    await put(folder, ...OWN, 'runs/mlruns/0/meta.yaml');
    return folder;
  }

  test('goes with it', async () => {
    const folder = await reportedRun();
    expect((await deletionOf(folder)).others).toEqual([]);
    expect((await deleteRun(folder)).others).toEqual([]);
    await expect(access(folder)).rejects.toThrow('ENOENT');
  });

  test('stays where it is of others', async () => {
    const folder = await reportedRun();
    const others = [
      `runs/mlruns/0/${ID.replace('0', 'f')}/metrics/loss`,
      'runs/other-89abcdef/events.out.tfevents.1.lorafa',
      'runs/wandb/settings',
    ];
    await put(folder, ...others);
    await deleteRun(folder);
    for (const name of [...others, 'runs/mlruns/0/meta.yaml'])
      await access(path.join(folder, name));
    for (const name of OWN) {
      await expect(access(path.join(folder, name))).rejects.toThrow('ENOENT');
    }
  });
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
