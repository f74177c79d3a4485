import { createHash } from 'node:crypto';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportResult } from '../../../engine/export/export.ts';
import { ggufTensor } from '../../../engine/export/gguf-values.ts';
import { allRows } from '../../../engine/export/model-tensor.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { askPython, lacks, REFERENCE_PYTHON } from '../../support/reference-python.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';
import { compare, continuation, type ProgramCase } from './program-cases.ts';
import { trained, trainedModels } from './trained-models.ts';

/*
 * The Python programs that exports are for: transformers and PEFT go on with the tokens of this engine, `gguf` reads the
 * same values. LORAFA_REFERENCE_PYTHON names a Python with test/reference/requirements.txt.
 */

const script = path.resolve(import.meta.dirname, '../../reference/check_transformers.py');
const TIMEOUT = 900_000;

describe.skipIf(lacks('peft'))(
  'with transformers and PEFT (needs a Python with both: LORAFA_REFERENCE_PYTHON)',
  { timeout: TIMEOUT },
  () => {
    test('a merged folder, and an adapter that was copied, go on as they do here', async () => {
      const cases: ProgramCase[] = [];
      for (const { name, base, adapter, greedy } of await trainedModels(await tempFolder())) {
        const { config } = await openBaseModel(base, { headersOnly: true });
        const [merged, peft] = [`${adapter}-merged`, `${adapter}-peft`];
        await exportResult({ folder: adapter, format: 'peft', output: peft });
        const places = { folder: base, adapter: peft };
        cases.push({ name: `${name}, peft`, ...continuation(config, greedy, places) });
        await exportResult({ folder: adapter, format: 'merged', output: merged, dtype: 'f32' });
        const alone = continuation(config, greedy, { folder: merged });
        cases.push({ name: `${name}, merged`, ...alone });
      }
      expect(cases.length).toBeGreaterThan(60);
      compare(REFERENCE_PYTHON, [script], cases);
    });
  },
);

describe.skipIf(lacks('gguf'))(
  'with the package gguf (needs a Python with it: LORAFA_REFERENCE_PYTHON)',
  { timeout: TIMEOUT },
  () => {
    test('every tensor of a file of each type has the values that it has here', async () => {
      const base = path.join(await tempFolder(), 'model');
      await writeTinyModel(base, { widths: { hidden_size: 256, intermediate_size: 512 } });
      const { adapter: folder } = await trained(base);
      const files: string[] = [];
      for (const dtype of ['f32', 'f16', 'bf16', 'q8_0', 'q4_k_m'] as const) {
        const output = `${base}-${dtype}.gguf`;
        await exportResult({ folder, format: 'gguf', output, dtype });
        files.push(output);
        if (dtype === 'q4_k_m') continue;
        const adapter = `${base}-adapter-${dtype}.gguf`;
        await exportResult({ folder, format: 'gguf-adapter', output: adapter, dtype });
        files.push(adapter);
      }
      const theirs = await askPython<object[]>('check_gguf.py', files, {});
      expect(await Promise.all(files.map(digests))).toEqual(theirs);
    });
  },
);

async function digests(file: string): Promise<Readonly<Record<string, string>>> {
  const all: Record<string, string> = {};
  for (const [name, tensor] of (await openGguf(file)).tensors) {
    all[name] = createHash('sha256')
      .update(await allRows(ggufTensor(tensor)))
      .digest('hex');
  }
  return all;
}
