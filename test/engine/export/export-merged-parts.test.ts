import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportResult } from '../../../engine/export/export.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import {
  type TensorToWrite,
  writeSafetensors,
} from '../../../engine/formats/safetensors-writer.ts';
import { readTensorRaw, streamTensor } from '../../../engine/formats/tensor-data.ts';
import { readJsonFile } from '../../../engine/json-file.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { goldenTensors, relativeError } from '../../support/golden.ts';
import { goldenAdapter } from '../../support/golden-adapter.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { range, withSessions } from '../generate/golden-model.ts';

const OF_TEXT = /(^|\.)language_model\./;

/** The adapter of a reference run, merged into its model that reads images, with other tensors beside its own. */
async function merged(model: string, others: readonly TensorToWrite[] = []) {
  const base = path.join(await tempFolder(), model);
  await goldenModelFolder(model, base);
  if (others.length > 0) {
    const file = path.join(base, 'model.safetensors');
    const { tensors } = await openSafetensors(file);
    const own = [...tensors.values()].map((tensor) => ({
      ...tensor,
      pieces: () => streamTensor(tensor),
    }));
    await writeSafetensors(`${file}.new`, [...own, ...others]);
    await rename(`${file}.new`, file);
  }
  await writeFile(path.join(base, 'preprocessor_config.json'), '{"size": 28}');
  const output = `${base}-merged`;
  const adapter = goldenAdapter(`family-${model}`);
  await exportResult({ folder: adapter, format: 'merged', output, base });
  return { base, output };
}

describe.each(['gemma3-whole', 'ministral3-whole'])('%s, merged into a folder', (model) => {
  test('is the whole model: what reads images lies there as it was, under the same names', async () => {
    const { base, output } = await merged(model);
    const [before, after] = await Promise.all(
      [base, output].map((folder) => openSafetensors(path.join(folder, 'model.safetensors'))),
    );
    expect([...after!.tensors.keys()].toSorted()).toEqual([...before!.tensors.keys()].toSorted());
    const others = [...before!.tensors.values()].filter(({ name }) => !OF_TEXT.test(name));
    expect(others.length).toBeGreaterThan(5);
    for (const tensor of others) {
      const written = await readTensorRaw(after!.tensors.get(tensor.name)!);
      expect(written, tensor.name).toEqual(await readTensorRaw(tensor));
    }
    const config = (folder: string) => readJsonFile(path.join(folder, 'config.json'));
    expect(await config(output)).toEqual(await config(base));
    expect(await readJsonFile(path.join(output, 'preprocessor_config.json'))).toEqual({ size: 28 });
  });

  test('has the logits that PEFT has of the model with the adapter', async () => {
    const { output } = await merged(model);
    const run = `family-${model}`;
    const golden = await goldenTensors('training', run, 'golden.safetensors');
    const data = await goldenTensors('training', run, 'data.safetensors');
    const { data: logits, shape } = golden.get('initial_logits')!;
    const [, length, vocab] = shape as readonly [number, number, number];
    const mask = data.get('attention_mask')!.data;
    const real = range(length).filter((at) => mask[at] === 1).length;
    const ids = range(real).map((at) => data.get('input_ids')!.data[at]!);
    await withSessions(await openBaseModel(output), async (sessions) => {
      const sequence = await sessions.sequence(null);
      const read = await sequence.append(ids, range(real));
      const expected = range(real * vocab).map((at) => logits[at]!);
      expect(relativeError(read, expected)).toBeLessThan(1e-4);
    });
  });
});

test('tensors of integers, as positions are, are copied byte for byte', async () => {
  const name = 'vision_tower.embeddings.position_ids';
  // float64 does not hold the last one.
  const data = new Uint8Array(BigInt64Array.of(0n, 1n, -1n, 2n ** 53n + 1n).buffer);
  const positions = { name, dtype: 'I64', shape: [1, 4], data } as const;
  const { output } = await merged('gemma3-whole', [positions]);
  const { tensors } = await openSafetensors(path.join(output, 'model.safetensors'));
  const copied = tensors.get(name)!;
  expect(copied).toMatchObject({ dtype: 'I64', shape: [1, 4] });
  expect(await readTensorRaw(copied)).toEqual(data);
});
