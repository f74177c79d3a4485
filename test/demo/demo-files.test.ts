import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { expectedTensors } from '../../engine/architectures/expected-tensors.ts';
import { readConfig } from '../../engine/config/parse.ts';
import { loadDataset } from '../../engine/data/dataset.ts';
import { openBaseModel } from '../../engine/models/base-model.ts';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer.ts';
import { corpusDocuments } from '../../media/demo/make-base/corpus.ts';
import {
  evalRows,
  type InstructionRow,
  trainRows,
} from '../../media/demo/make-base/instructions.ts';
import {
  EVAL_ROWS,
  SEED,
  TOKENIZER_DOCUMENTS,
  TRAIN_ROWS,
  VOCAB_SIZE,
} from '../../media/demo/make-base/settings.ts';
import { trainTokenizer } from '../../media/demo/make-base/tokenizer.ts';
import { CITIES, PEOPLE } from '../../media/demo/make-base/words.ts';

const DEMO = path.resolve('media/demo');
const BASE = path.join(DEMO, 'base');

test('the base model is a complete bfloat16 Llama of at most 4 MB', async () => {
  const sizes = await Promise.all(
    (await readdir(BASE)).map(async (name) => (await stat(path.join(BASE, name))).size),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(4e6);
  const model = await openBaseModel(BASE);
  expect(model.config.family).toBe('llama');
  for (const name of expectedTensors(model.config).keys()) {
    expect(model.weights.get(name).dtype, name).toBe('BF16');
  }
});

test('the tokenizer reads a word the same wherever it stands, and every text back', async () => {
  const model = await openBaseModel(BASE);
  const tokenizer = loadTokenizer(model.tokenizer, model.config);
  const encode = (text: string): number[] => tokenizer.encode(text, { addSpecialTokens: true });
  const word = encode('Valerie');
  for (const text of ['"Valerie"', ' Valerie,', 'so Valerie']) {
    expect(encode(text).join(), text).toContain(word.join());
  }
  const odd = '{"name": "Zoë", "age": 7}\n\t€ 中 🎲';
  expect(tokenizer.decode(encode(odd), { skipSpecialTokens: false })).toBe(odd);
});

test('the configuration is valid, and every row is learned whole', async () => {
  const config = await readConfig(path.join(DEMO, 'demo.lorafa.json'));
  const model = await openBaseModel(config.model.base_model_name_or_path);
  const tokenizer = loadTokenizer(model.tokenizer, model.config);
  const { dataset_name_or_path: train, eval_dataset_name_or_path: held } = config.data;
  for (const [files, count] of [
    [train, TRAIN_ROWS],
    [held!, EVAL_ROWS],
  ] as const) {
    const { report } = await loadDataset([files].flat(), tokenizer, config.data);
    expect(report).toMatchObject({
      rows: count,
      used: count,
      truncated: { count: 0 },
      dropped: { count: 0 },
      neverSupervised: { count: 0 },
    });
  }
});

test('the rows are those that the generator makes', async () => {
  expect(await readRows('train.jsonl')).toEqual(trainRows(TRAIN_ROWS, SEED));
  expect(await readRows('eval.jsonl')).toEqual(evalRows(EVAL_ROWS, SEED));
});

test('the tokenizer is the one that the generator trains', async () => {
  const texts = corpusDocuments(TOKENIZER_DOCUMENTS, SEED);
  const { tokenizerJson, tokenizerConfig } = trainTokenizer(texts, VOCAB_SIZE, BASE);
  const { tokenizer } = await openBaseModel(BASE);
  expect(tokenizer.tokenizerJson).toEqual(tokenizerJson);
  expect(tokenizer.tokenizerConfig).toEqual(tokenizerConfig);
});

test('a completion is the JSON of what its sentence says', async () => {
  for (const { prompt, completion } of await readRows('eval.jsonl')) {
    const values = Object.values(JSON.parse(completion) as Record<string, string | number>);
    expect(values).toHaveLength(3);
    for (const value of values) expect(prompt).toContain(String(value));
  }
});

test('people and cities of the test are in no row that is trained on', async () => {
  const heldOut = new Set([...PEOPLE.heldOut, ...CITIES.heldOut]);
  const namesIn = (row: InstructionRow): readonly string[] =>
    (row.prompt.match(/\p{Lu}\p{L}+/gu) ?? []).filter((word) => heldOut.has(word));
  expect((await readRows('train.jsonl')).flatMap(namesIn)).toEqual([]);
  for (const row of await readRows('eval.jsonl')) expect(namesIn(row)).not.toEqual([]);
  expect(heldOut.size).toBe(PEOPLE.heldOut.length + CITIES.heldOut.length);
});

test('the base model has never seen JSON', () => {
  for (const text of corpusDocuments(5_000, SEED)) expect(text).not.toMatch(/\{\s*"|"\s*:|JSON/);
});

async function readRows(name: string): Promise<readonly InstructionRow[]> {
  const text = await readFile(path.join(DEMO, 'data', name), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as InstructionRow);
}
