import { cp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readTensor } from '../../../engine/formats/tensor-data.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { ggufBytes, type MetadataInput } from '../../support/gguf-bytes.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const partName = (part: number, of = 3) => `llama2-q8_0-0000${part}-of-0000${of}.gguf`;
const goldenPart = (part: number) => goldenPath('gguf', 'split', partName(part));

/** A model of three parts, a tensor each, and what their headers say instead where that is given. */
async function writeParts(instead: Readonly<Record<number, MetadataInput>> = {}): Promise<string> {
  const folder = await tempFolder();
  for (const part of [1, 2, 3]) {
    const says = { 'split.no': part - 1, 'split.count': 3, 'split.tensors.count': 3 };
    const bytes = ggufBytes(
      { ...says, ...instead[part] },
      [{ name: `tensor-${part}`, dims: [8] }],
      new Uint8Array(32),
    );
    await writeFile(path.join(folder, partName(part)), bytes);
  }
  return folder;
}

test.each([1, 2, 3])('part %i opens the whole model', async (part) => {
  const whole = await openGguf(goldenPath('gguf', 'llama2-q8_0.gguf'));
  const split = await openGguf(goldenPart(part));
  expect(split.files).toEqual([1, 2, 3].map(goldenPart));
  expect([...split.tensors.keys()].toSorted()).toEqual([...whole.tensors.keys()].toSorted());
  expect(split.metadata.get('llama.block_count')).toBe(whole.metadata.get('llama.block_count'));
});

test('a model in parts has the weights of the same model in one file', async () => {
  const cacheFolder = await tempFolder();
  const whole = await openBaseModel(goldenPath('gguf', 'llama2-q8_0.gguf'), { cacheFolder });
  const split = await openBaseModel(goldenPath('gguf', 'split'), { cacheFolder });
  expect(split.name).toBe('llama2-q8_0');
  expect(split.config).toEqual(whole.config);
  for (const [name, location] of whole.weights.tensors) {
    expect(await readTensor(split.weights.get(name)), name).toEqual(await readTensor(location));
  }
});

test.runIf(process.platform !== 'win32')('a link of another name leads to all parts', async () => {
  const link = path.join(await tempFolder(), 'model.gguf');
  await symlink(goldenPart(1), link);
  expect((await openGguf(link)).tensors.size).toBe(21);
});

describe('parts that do not belong together are refused, by the file that is wrong', () => {
  const open = (folder: string, part = 1) => openGguf(path.join(folder, partName(part)));
  const message = (text: string) => ({ message: expect.stringContaining(text) as string });

  test('one that is missing', async () => {
    const folder = await writeParts();
    await rm(path.join(folder, partName(3)));
    await expect(open(folder, 2)).rejects.toMatchObject({
      code: 'model.not_found',
      ...message(
        `There is no ${path.join(folder, partName(3))}, which is part 3 of 3 of the model`,
      ),
    });
  });

  test('two whose names were swapped', async () => {
    const folder = await writeParts();
    await rename(path.join(folder, partName(2)), path.join(folder, 'aside'));
    await rename(path.join(folder, partName(3)), path.join(folder, partName(2)));
    await rename(path.join(folder, 'aside'), path.join(folder, partName(3)));
    await expect(open(folder)).rejects.toMatchObject({
      code: 'model.corrupt',
      ...message(`${partName(2)} is part 3 of 3 by its header, and part 2 of 3 by its name`),
    });
  });

  test('a whole model under the name of a part', async () => {
    const folder = await writeParts();
    await cp(goldenPath('gguf', 'llama2-q8_0.gguf'), path.join(folder, partName(2)));
    await expect(open(folder)).rejects.toMatchObject({
      code: 'model.corrupt',
      ...message(`${partName(2)} is no part by its header, and part 2 of 3 by its name`),
    });
  });

  test.each<[string, Readonly<Record<number, MetadataInput>>, string]>([
    [
      'a part of a model with more parts',
      { 2: { 'split.count': 4 } },
      `${partName(2)} is part 2 of 4 by its header`,
    ],
    [
      'a part of a model with more tensors',
      { 3: { 'split.tensors.count': 4 } },
      `${partName(3)} belongs to a model of 4 tensors, but its 3 parts hold 3`,
    ],
    [
      'a name of more parts than there are',
      { 1: { 'split.count': 2 } },
      'is one of 2 parts by its header, and of 3 by its name',
    ],
    ['a count that is none', { 1: { 'split.count': 'many' } }, '"split.count" is not one number'],
    ['half a part', { 1: { 'split.count': 2.5 } }, 'is one of 2.5 parts by its header'],
  ])('%s', async (_, instead, text) => {
    const folder = await writeParts(instead);
    await expect(open(folder)).rejects.toMatchObject({ code: 'model.corrupt', ...message(text) });
  });

  test('a tensor that is in two of them', async () => {
    const folder = await writeParts();
    const says = { 'split.no': 2, 'split.count': 3, 'split.tensors.count': 3 };
    const bytes = ggufBytes(says, [{ name: 'tensor-1', dims: [8] }], new Uint8Array(32));
    await writeFile(path.join(folder, partName(3)), bytes);
    await expect(open(folder)).rejects.toMatchObject({
      code: 'model.corrupt',
      ...message(`${partName(3)} holds tensor "tensor-1", which ${path.join(folder, partName(1))}`),
    });
  });

  test('a part whose name does not say where the others are', async () => {
    const folder = await writeParts();
    const renamed = path.join(folder, 'model.gguf');
    await rename(path.join(folder, partName(1)), renamed);
    await expect(openGguf(renamed)).rejects.toMatchObject({
      code: 'model.not_found',
      ...message(`${renamed} is one of 3 parts, whose names end in -00001-of-00003.gguf`),
    });
  });
});
