import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { fetchInputs } from '../../../engine/inputs/hub-inputs.ts';
import { localData } from '../../../engine/inputs/local-data.ts';
import { goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { useTinyRuns } from '../train/use-tiny-runs.ts';

const tiny = useTinyRuns();

/** A folder with files of two rows each. */
async function folderWith(...names: readonly string[]): Promise<string> {
  const folder = await tempFolder();
  for (const name of names) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `{"text":"first of ${name}"}\n{"text":"second"}\n`);
  }
  return folder;
}

/** The files of a path as they are named in their folder, and what is said of others. */
async function found(
  folder: string,
  name = '',
  use: 'training' | 'evaluation' = 'training',
): Promise<readonly unknown[]> {
  const { paths, skipped } = await localData(path.join(folder, name), use);
  const names = paths.map((file) => path.relative(folder, file).split(path.sep).join('/'));
  return [names, skipped?.replace(folder, 'FOLDER')];
}

describe('a folder', () => {
  test('gives its data files, sorted, and says what it leaves out', async () => {
    const folder = await folderWith(
      'b.jsonl',
      'a.jsonl',
      'c/d.jsonl.gz',
      'README.md',
      '.hidden.jsonl',
    );
    expect(await found(folder)).toEqual([
      ['a.jsonl', 'b.jsonl', 'c/d.jsonl.gz'],
      'Of the files in FOLDER, 1 is not read: README.md.',
    ]);
  });

  test('with splits gives the one that is meant', async () => {
    const folder = await folderWith('train-0.jsonl', 'train-1.jsonl', 'test.jsonl', 'other.jsonl');
    expect(await found(folder)).toEqual([
      ['train-0.jsonl', 'train-1.jsonl'],
      'Of the files in FOLDER, 2 are not read: other.jsonl, test.jsonl.',
    ]);
    expect((await found(folder, '', 'evaluation'))[0]).toEqual(['test.jsonl']);
  });

  test('that save_to_disk of datasets left', async () => {
    const folder = goldenPath('data', 'saved');
    const [train] = await found(folder);
    expect(train).toEqual(['train/data-00000-of-00001.arrow']);
    expect((await found(folder, '', 'evaluation'))[0]).toEqual(['test/data-00000-of-00001.arrow']);
  });

  test('rows of a slice are counted through its files', async () => {
    const folder = await folderWith('a.jsonl', 'b.jsonl', 'c.jsonl');
    const { paths } = await localData(`${folder}[1:4]`, 'training');
    expect(paths).toEqual([`${folder}/a.jsonl[1:2]`, `${folder}/b.jsonl[0:2]`]);
  });

  test.each([
    [
      ['a.jsonl', 'b.csv'],
      /has data files of several kinds \(jsonl, csv\); name those that are meant/,
    ],
    [['notes.md'], /there is no data file in the folder/],
    [
      ['dev.jsonl', 'test.jsonl'],
      /has the splits validation, test, and none that is usual for training/,
    ],
  ])('%j is refused', async (names, message) => {
    await expect(localData(await folderWith(...names), 'training')).rejects.toThrow(message);
  });
});

describe('a pattern', () => {
  test('gives the files that it means', async () => {
    const folder = await folderWith('a1.jsonl', 'a2.jsonl', 'b.jsonl', 'a3.md', 'x/a4.jsonl');
    expect(await found(folder, 'a?.*')).toEqual([
      ['a1.jsonl', 'a2.jsonl'],
      'Of the files in FOLDER, 1 is not read: a3.md.',
    ]);
    expect(await found(folder, '**/a*.jsonl')).toEqual([
      ['a1.jsonl', 'a2.jsonl', 'x/a4.jsonl'],
      undefined,
    ]);
    expect((await found(folder, '*/a4.jsonl'))[0]).toEqual(['x/a4.jsonl']);
  });

  test('that means none is told, and so is a folder that is not there', async () => {
    const folder = await folderWith('a.jsonl');
    await expect(localData(path.join(folder, 'z*.jsonl'), 'training')).rejects.toThrow(
      /no data file has a name like .*z\*\.jsonl; check the path/,
    );
    await expect(localData(path.join(folder, 'no', '*.jsonl'), 'training')).rejects.toThrow(
      /the folder .*no cannot be read/,
    );
  });

  test('is a name where a file has it', async () => {
    const folder = await folderWith('a*.jsonl', 'ab.jsonl');
    expect((await found(folder, 'a*.jsonl'))[0]).toEqual(['a*.jsonl']);
  });
});

test('a configuration comes out with files, and what is left out is a warning', async () => {
  const folder = await folderWith('a.jsonl', 'b.jsonl', 'notes.md');
  const config = tiny().config({
    data: {
      dataset_name_or_path: [path.join(folder, '*.jsonl'), tiny().data],
      mix: [{ dataset_name_or_path: folder, weight: 1 }],
    },
  });
  const { config: local, warnings } = await fetchInputs(config);
  const files = ['a.jsonl', 'b.jsonl'].map((name) => path.join(folder, name));
  expect(local.data.dataset_name_or_path).toEqual([...files, tiny().data]);
  expect(local.data.mix![0]!.dataset_name_or_path).toEqual(files);
  expect(warnings).toEqual([`Of the files in ${folder}, 1 is not read: notes.md.`]);
});
