import { rmSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { copyAdapter } from '../../../extension/models/copy-adapter.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { Uri } from '../../support/vscode-files.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const WEIGHTS = 'adapter_model.safetensors';

/** An adapter, and the copying of it. */
async function adapterToCopy() {
  const root = await tempFolder();
  const source = path.join(root, 'adapter');
  await mkdir(source);
  for (const name of ['adapter_config.json', WEIGHTS, 'README.md', 'optimizer.safetensors']) {
    await writeFile(path.join(source, name), name);
  }
  const target = path.join(root, 'exports', 'mine');
  const token = { isCancellationRequested: false };
  const copy = (report = (_: string): void => undefined): Promise<boolean> =>
    copyAdapter(Uri.file(source) as never, Uri.file(target) as never, { report }, token as never);
  return { root, source, target, token, copy };
}

test('the files that PEFT reads are copied, and nothing stays beside them', async () => {
  const { root, target, copy } = await adapterToCopy();
  expect(await copy()).toBe(true);
  expect(await readdir(path.join(root, 'exports'))).toEqual(['mine']);
  expect((await readdir(target)).toSorted()).toEqual(['README.md', 'adapter_config.json', WEIGHTS]);
});

test('an export that is cancelled leaves nothing', async () => {
  const { root, token, copy } = await adapterToCopy();
  token.isCancellationRequested = true;
  expect(await copy()).toBe(false);
  expect(await readdir(path.join(root, 'exports'))).toEqual([]);
});

test.each([
  ['weights that are missing', (source: string) => rm(path.join(source, WEIGHTS)), WEIGHTS],
  ['a folder that is gone', (source: string) => rm(source, { recursive: true }), 'config.json'],
])('%s are named, and an earlier export stays as it was', async (_name, vanish, missing) => {
  const { root, source, target, copy } = await adapterToCopy();
  await mkdir(target, { recursive: true });
  await writeFile(path.join(target, WEIGHTS), 'earlier');
  await vanish(source);
  await expect(copy()).rejects.toThrow(`${missing} is missing, so that the adapter was not exp`);
  expect(await readdir(path.join(root, 'exports'))).toEqual(['mine']);
  expect(await readdir(target)).toEqual([WEIGHTS]);
  expect(await readFile(path.join(target, WEIGHTS), 'utf8')).toBe('earlier');
});

test('weights that vanish while the other files are copied are missed too', async () => {
  const { root, source, copy } = await adapterToCopy();
  const copied = copy((text) => {
    if (text.startsWith('adapter_config')) rmSync(path.join(source, WEIGHTS));
  });
  await expect(copied).rejects.toThrow(`${WEIGHTS} is missing`);
  expect(await readdir(path.join(root, 'exports'))).toEqual([]);
});
