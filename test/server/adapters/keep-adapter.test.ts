import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { RunLock } from '../../../engine/train/run-lock.ts';
import {
  adapterContents,
  deleteAdapter,
  renameAdapter,
} from '../../../server/adapters/keep-adapter.ts';
import type { CardFacts } from '../../../server/publish/card-facts.ts';
import { modelCard } from '../../../server/publish/model-card.ts';
import { storeState } from '../../support/state-file.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** A folder with files of ten bytes each. */
async function put(folder: string, ...names: readonly string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const name of names) await writeFile(path.join(folder, name), '0123456789');
  return folder;
}

const ADAPTER = ['adapter_config.json', 'adapter_model.safetensors'];

async function adapterFolder(...others: readonly string[]): Promise<string> {
  return put(path.join(await tempFolder(), 'mine'), ...ADAPTER, ...others);
}

/** The checkpoint of a run that has ended. */
async function checkpointFolder(): Promise<{ readonly run: string; readonly folder: string }> {
  const run = await put(path.join(await tempFolder(), 'run'), 'run.json');
  await storeState(run, '2026-01-01T00:00:00.000Z');
  const files = [...ADAPTER, 'optimizer.safetensors', 'trainer_state.json'];
  return { run, folder: await put(path.join(run, 'checkpoint-5'), ...files) };
}

test('an adapter goes with its folder, or without what is not its own', async () => {
  const folder = await adapterFolder();
  expect(await adapterContents(folder)).toEqual({ own: [folder], bytes: 20, others: [] });
  await deleteAdapter(folder);
  await expect(access(folder)).rejects.toThrow('ENOENT');

  const shared = await adapterFolder('README.md');
  const own = ADAPTER.map((name) => path.join(shared, name));
  const contents = await adapterContents(shared);
  expect(contents).toMatchObject({ bytes: 20, others: ['README.md'] });
  expect(contents.own.toSorted()).toEqual(own);
  await deleteAdapter(shared);
  expect(await readdir(shared)).toEqual(['README.md']);
});

test('a folder that is open in the editor stays when the adapter in it goes, and keeps its name', async () => {
  const folder = await adapterFolder();
  await expect(renameAdapter(folder, 'other', [folder])).rejects.toThrow(
    `${folder} is open in the editor`,
  );
  const own = ADAPTER.map((name) => path.join(folder, name));
  expect((await adapterContents(folder, [folder])).own.toSorted()).toEqual(own);
  await deleteAdapter(folder, [folder]);
  expect(await readdir(folder)).toEqual([]);
});

test('a card that was made for an adapter goes with it, unless somebody changed it', async () => {
  const folder = await adapterFolder('loss-curve.svg');
  const lora = { r: 2, lora_alpha: 4, lora_dropout: 0, use_rslora: false };
  const patterns = { target_modules: ['q_proj'], rank_pattern: {}, alpha_pattern: {} };
  const facts: CardFacts = {
    ...{ name: 'mine', base: null, license: null, hasChatTemplate: false, run: null },
    lora: { ...lora, ...patterns },
  };
  const card = modelCard(facts, { hasCurve: true });
  await writeFile(path.join(folder, 'README.md'), `${card}Mine.`);
  expect((await adapterContents(folder)).others.toSorted()).toEqual([
    'README.md',
    'loss-curve.svg',
  ]);
  await writeFile(path.join(folder, 'README.md'), card);
  expect(await adapterContents(folder)).toMatchObject({ own: [folder], others: [] });
  await deleteAdapter(folder);
  await expect(access(folder)).rejects.toThrow('ENOENT');
});

test('a checkpoint goes as a whole, and leaves nothing in the run that says it is in use', async () => {
  const { run, folder } = await checkpointFolder();
  expect((await adapterContents(folder)).bytes).toBe(40);
  await deleteAdapter(folder);
  expect((await readdir(run)).toSorted()).toEqual(['run.json', 'state.json']);
});

test('nothing is done to a checkpoint while its run goes on, nor to a folder that a run writes into', async () => {
  const { run, folder } = await checkpointFolder();
  const mine = await adapterFolder();
  const locks = [await RunLock.acquire(run), await RunLock.acquire(mine)];
  for (const action of [adapterContents, deleteAdapter]) {
    await expect(action(folder)).rejects.toThrow(`The run in ${run} goes on; stop it`);
    await expect(action(mine)).rejects.toThrow(`${mine} is written to by a run that goes on`);
  }
  await expect(renameAdapter(mine, 'other')).rejects.toThrow('stop it and wait for its end');
  for (const lock of locks) await lock.release();
});

test('what a run has come to is no adapter of its own', async () => {
  const { run } = await checkpointFolder();
  await put(run, ...ADAPTER);
  const actions = [adapterContents, deleteAdapter, (folder: string) => renameAdapter(folder, 'x')];
  for (const action of actions) {
    await expect(action(run)).rejects.toThrow('is the folder of a run; do this with the run');
  }
});

test('an adapter gets another name, but none that something has, and a checkpoint keeps its own', async () => {
  const folder = await adapterFolder();
  const renamed = await renameAdapter(folder, 'Größer');
  expect(renamed).toBe(path.join(path.dirname(folder), 'Größer'));
  expect((await readdir(renamed)).toSorted()).toEqual(ADAPTER);
  await mkdir(path.join(path.dirname(folder), 'taken'));
  await expect(renameAdapter(renamed, 'taken')).rejects.toThrow('something of the name "taken"');
  await expect(renameAdapter(renamed, 'a/b')).rejects.toThrow('cannot hold /');
  await expect(renameAdapter(folder, 'again')).rejects.toMatchObject({ code: 'adapter.not_found' });
  const { run, folder: checkpoint } = await checkpointFolder();
  await expect(renameAdapter(checkpoint, 'x')).rejects.toThrow(`rename its run, ${run}`);
});
