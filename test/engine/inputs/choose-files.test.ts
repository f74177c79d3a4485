import { describe, expect, test } from 'vitest';
import type { RepositoryView } from '../../../engine/hub/repository-view.ts';
import { dataFiles } from '../../../engine/inputs/choose-data-files.ts';
import { adapterFiles, modelFiles } from '../../../engine/inputs/choose-model-files.ts';

function view(files: readonly string[], configs: unknown = null): RepositoryView {
  const repository = { kind: 'dataset' as const, name: 'owner/name' };
  return {
    repository,
    name: 'owner/name',
    files,
    configs,
    folder: '/nowhere',
    get: async () => {},
  };
}

describe('a GGUF of a model', () => {
  const two = view(['README.md', 'name.Q4_K_M.gguf', 'name.Q8_0.gguf']);

  test('the only one', async () => {
    expect(await modelFiles(undefined)(view(['a.gguf', 'README.md']))).toEqual(['a.gguf']);
  });

  test('one of several, by its name or by what tells it from the others', async () => {
    expect(await modelFiles('name.Q8_0.gguf')(two)).toEqual(['name.Q8_0.gguf']);
    expect(await modelFiles('q4_k_m')(two)).toEqual(['name.Q4_K_M.gguf']);
  });

  test('all parts of one that was split, whichever is named', async () => {
    const first = 'q8/name-Q8_0-00001-of-00002.gguf';
    const second = 'q8/name-Q8_0-00002-of-00002.gguf';
    const split = view(['name-Q4_0.gguf', second, first]);
    expect(await modelFiles('Q8_0')(split)).toEqual([first, second]);
    expect(await modelFiles(second)(split)).toEqual([first, second]);
    expect(await modelFiles(undefined)(view([first, second]))).toEqual([first, second]);
    await expect(modelFiles(undefined)(view([first]))).rejects.toThrow(
      /has no q8\/name-Q8_0-00002-of-00002.gguf, which belongs to q8\/name-Q8_0-00001/,
    );
  });

  test.each([
    [undefined, /holds several models; say which one, e.g. owner\/name:name.Q4_K_M.gguf/],
    ['Q5_0', /has no file Q5_0; it has name.Q4_K_M.gguf, name.Q8_0.gguf\.$/],
    ['gguf', /has several files gguf/],
    ['README.md', /has no file README.md/],
  ])('%s is refused', async (part, message) => {
    await expect(modelFiles(part)(two)).rejects.toThrow(message);
  });
});

test('weights that are not read are refused before anything is fetched', async () => {
  const pickled = view(['config.json', 'pytorch_model.bin', 'tokenizer.json']);
  await expect(modelFiles(undefined)(pickled)).rejects.toThrow(/only as pickled .bin files/);
  const old = view(['config.json', 'model.safetensors', 'tokenizer.model']);
  await expect(modelFiles(undefined)(old)).rejects.toThrow(/has no tokenizer.json/);
});

test('an adapter comes with the chat template that lies beside it', async () => {
  const files = ['adapter_config.json', 'adapter_model.safetensors'];
  expect(await adapterFiles(view([...files, 'README.md']))).toEqual(files);
  const all = [...files, 'chat_template.jinja'];
  expect(await adapterFiles(view([...all, 'tokenizer.json']))).toEqual(all);
});

describe('the files of a data set', () => {
  const GSM8K = ['main', 'socratic'].map((name) => ({
    config_name: name,
    data_files: ['train', 'test'].map((split) => ({ split, path: `${name}/${split}-*` })),
  }));
  const gsm8kFiles = ['main', 'socratic'].flatMap((name) =>
    ['train', 'test'].map((split) => `${name}/${split}-00000-of-00001.parquet`),
  );

  test.each([
    ['one file', ['README.md', 'MetaMathQA-40K.json'], 'training', ['MetaMathQA-40K.json']],
    [
      'by words in names',
      ['best_replies_train.jsonl', 'best_replies_eval.jsonl'],
      'training',
      ['best_replies_train.jsonl'],
    ],
    [
      'the held-out ones',
      ['best_replies_train.jsonl', 'best_replies_eval.jsonl'],
      'evaluation',
      ['best_replies_eval.jsonl'],
    ],
    [
      'validation before test',
      ['data/train-0.parquet', 'data/test-0.parquet', 'data/validation-0.parquet'],
      'evaluation',
      ['data/validation-0.parquet'],
    ],
    [
      'shards in order',
      ['data/train-00001-of-00002.parquet', 'data/train-00000-of-00002.parquet', 'train.csv'],
      'training',
      ['data/train-00000-of-00002.parquet', 'data/train-00001-of-00002.parquet'],
    ],
    ['no words', ['a.jsonl', 'b.jsonl', 'dataset_infos.json'], 'training', ['a.jsonl', 'b.jsonl']],
    [
      'words in words',
      ['constraint.jsonl', 'latest.jsonl'],
      'training',
      ['constraint.jsonl', 'latest.jsonl'],
    ],
  ] as const)('%s', async (_name, files, use, expected) => {
    expect(await dataFiles(undefined, use)(view(files))).toEqual(expected);
  });

  test.each([
    ['main', 'training', ['main/train-00000-of-00001.parquet']],
    ['main', 'evaluation', ['main/test-00000-of-00001.parquet']],
    ['socratic/test', 'training', ['socratic/test-00000-of-00001.parquet']],
    [gsm8kFiles[1], 'training', [gsm8kFiles[1]]],
  ] as const)('by the card: %s for %s', async (part, use, expected) => {
    expect(await dataFiles(part, use)(view(gsm8kFiles, GSM8K))).toEqual(expected);
    // Without the card the folders have the same names.
    expect(await dataFiles(part, use)(view(gsm8kFiles))).toEqual(expected);
  });

  test("the Hub's own edition has its configurations in folders", async () => {
    const files = ['a', 'b'].flatMap((config) =>
      ['partial-train/0000', 'partial-train/0001', 'test/0000'].map(
        (name) => `${config}/${name}.parquet`,
      ),
    );
    const choose = (part: string | undefined, use: 'training' | 'evaluation') =>
      dataFiles(part, use)(view([...files, '.gitattributes', 'README.md']));
    const trainB = ['b/partial-train/0000.parquet', 'b/partial-train/0001.parquet'];
    expect(await choose('b', 'training')).toEqual(trainB);
    expect(await choose('b/train', 'training')).toEqual(trainB);
    expect(await choose('a', 'evaluation')).toEqual(['a/test/0000.parquet']);
    await expect(choose(undefined, 'training')).rejects.toThrow(/several configurations/);
    const one = view(['default/train/0000.parquet', 'default/test/0000.parquet']);
    expect(await dataFiles(undefined, 'training')(one)).toEqual(['default/train/0000.parquet']);
  });

  test('a card may name files that say nothing', async () => {
    const card = [
      {
        config_name: 'default',
        data_files: [
          { split: 'train', path: ['x/**/*.jsonl'] },
          { split: 'test', path: 'b.json?' },
        ],
      },
    ];
    const files = view(['x/1.jsonl', 'x/y/2.jsonl', 'b.jsonl'], card);
    expect(await dataFiles(undefined, 'training')(files)).toEqual(['x/1.jsonl', 'x/y/2.jsonl']);
    expect(await dataFiles('test', 'training')(files)).toEqual(['b.jsonl']);
  });

  test.each([
    [
      undefined,
      'training',
      gsm8kFiles,
      GSM8K,
      /several configurations; say which one, e.g. owner\/name:main/,
    ],
    ['other', 'training', gsm8kFiles, GSM8K, /has no other; there are main\/train, main\/test/],
    [
      undefined,
      'evaluation',
      ['train.jsonl'],
      null,
      /no split that was held out .* use data.eval_split/,
    ],
    [
      undefined,
      'training',
      ['a.tar', 'load.py'],
      null,
      /no rows in a format that is read, and the hub has made no/,
    ],
    ['a.tar', 'training', ['a.tar'], null, /in a format that is not read/],
    [
      undefined,
      'training',
      ['test.jsonl', 'dev.jsonl'],
      null,
      /has no split for training; .* owner\/name:/,
    ],
    [undefined, 'training', ['a.jsonl'], [{ config_name: 1 }], undefined],
    [undefined, 'training', ['a.jsonl'], '((((', undefined],
  ] as const)('%s for %s of %j', async (part, use, files, card, message) => {
    const chosen = dataFiles(part, use)(view(files, card));
    if (message === undefined) expect(await chosen).toEqual(['a.jsonl']);
    else await expect(chosen).rejects.toThrow(message);
  });
});
