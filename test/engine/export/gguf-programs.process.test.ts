import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LorafaError } from '../../../engine/errors.ts';
import { type ExportRequest, exportResult } from '../../../engine/export/export.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import {
  type TensorToWrite,
  writeSafetensors,
} from '../../../engine/formats/safetensors-writer.ts';
import { readTensor } from '../../../engine/formats/tensor-data.ts';
import { loadAdapter } from '../../../engine/lora/load-adapter.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { goldenPath } from '../../support/golden.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';
import { compare, continuation, goldenCase, type ProgramCase, type Task } from './program-cases.ts';
import { greedyTokens, trained, trainedModels } from './trained-models.ts';

/*
 * llama.cpp, which the formats `gguf` and `gguf-adapter` are for, on a model of every family that it knows: it has to go
 * on with the tokens that transformers goes on with in Python, and with an adapter, merged or beside its base, with those
 * of this engine. LORAFA_LLAMA names a folder with node-llama-cpp in its node_modules.
 */

const modules = process.env['LORAFA_LLAMA'];
const script = path.resolve(import.meta.dirname, '../../reference/check_gguf_llama.mjs');

/** Their vocabularies have no bytes. */
const SPECIAL: ReadonlySet<string> = new Set(['phi3', 'phi3-long']);

const DTYPES = ['f32', 'f16', 'bf16', 'q8_0', 'q4_k_m'] as const;

const TIMEOUT = 900_000;

type Files = Pick<Task, 'folder' | 'adapter'>;

function compareWithLlama(cases: readonly ProgramCase[]): void {
  compare(process.execPath, [script, modules!], cases);
}

describe.skipIf(modules === undefined)(
  'llama.cpp goes on (needs a folder with node-llama-cpp: LORAFA_LLAMA)',
  { timeout: TIMEOUT },
  () => {
    let top: string;

    beforeAll(async () => {
      top = await mkdtemp(path.join(tmpdir(), 'lorafa-test-'));
    });

    afterAll(() => rm(top, { recursive: true, force: true }));

    test('with the tokens of transformers', async () => {
      const cases: ProgramCase[] = [];
      for (const name of readdirSync(goldenPath('models'))) {
        const base = path.join(top, name);
        await goldenModelFolder(name, base);
        const file = await exportedFile(name, base, `${base}.gguf`);
        if (file !== undefined) cases.push(await goldenCase(name, file));
      }
      expect(cases.length).toBeGreaterThan(20);
      compareWithLlama(cases);
    });

    test('with the tokens of this engine by an OLMo 3 of the pattern that it knows', async () => {
      const base = path.join(top, 'olmo3-published');
      await goldenModelFolder('olmo3', base);
      await addFullLayer(base);
      const file = await exportedFile('olmo3', base, `${base}.gguf`);
      expect(file).toBeDefined();
      const model = await openBaseModel(base);
      const answer = continuation(model.config, await greedyTokens(model), { folder: file! });
      compareWithLlama([{ name: 'olmo3', ...answer }]);
    });

    test('with the tokens of this engine, an adapter merged and beside its base', async () => {
      const cases: ProgramCase[] = [];
      for (const { name, base, adapter, greedy } of await trainedModels(
        path.join(top, 'trained'),
      )) {
        const model = await exportedFile(name, base, `${base}.gguf`);
        if (model === undefined) continue;
        const [merged, beside] = [`${adapter}.gguf`, `${adapter}-adapter.gguf`];
        await exportResult({ folder: adapter, format: 'gguf', output: merged, dtype: 'f32' });
        const source = { folder: adapter, format: 'gguf-adapter', output: beside } as const;
        const { notes } = await exportResult(source);
        const { config } = await openBaseModel(base, { headersOnly: true });
        const add = (how: string, files: Files): void => {
          cases.push({ name: `${name}, ${how}`, ...continuation(config, greedy, files) });
        };
        add('merged', { folder: merged });
        // Where llama.cpp ends with an adapter, the export says so.
        if (notes.length === 0) add('beside', { folder: model, adapter: beside });
      }
      expect(cases.length).toBeGreaterThan(40);
      compareWithLlama(cases);
    });

    test('with the tokens of this engine from a file of each type', async () => {
      const base = path.join(top, 'typed');
      // Rows of whole blocks, so that Q4_K_M is made of K-quants.
      await writeTinyModel(base, { widths: { hidden_size: 256, intermediate_size: 512 } });
      const { adapter } = await trained(base, { steps: 60 });
      const { config } = await openBaseModel(base, { headersOnly: true });
      const write = async (
        name: string,
        request: Omit<ExportRequest, 'output'>,
      ): Promise<string> => {
        const output = path.join(top, `${name}.gguf`);
        await exportResult({ ...request, output });
        return output;
      };
      const loaded = await loadAdapter(adapter, config);
      const cases: ProgramCase[] = [];
      const add = (name: string, greedy: readonly number[], places: Files): void => {
        cases.push({ name, ...continuation(config, greedy, places) });
      };
      for (const dtype of DTYPES) {
        const merged = await write(`merged-${dtype}`, { folder: adapter, format: 'gguf', dtype });
        add(`merged in ${dtype}`, await greedyTokens(await openBaseModel(merged)), {
          folder: merged,
        });
        const places = {
          folder: await write(`base-${dtype}`, { folder: base, format: 'gguf', dtype }),
          adapter: await write(`adapter-${dtype}`, {
            ...{ folder: adapter, format: 'gguf-adapter' },
            // An adapter has no K-quants.
            dtype: dtype === 'q4_k_m' ? 'f32' : dtype,
          }),
        };
        const model = await openBaseModel(places.folder);
        add(`beside a base in ${dtype}`, await greedyTokens(model, loaded), places);
      }
      compareWithLlama(cases);
    });
  },
);

/**
 * A model as a file in float32; undefined where llama.cpp doesn't know it, or computes something otherwise, as the export
 * says.
 */
async function exportedFile(
  name: string,
  folder: string,
  output: string,
): Promise<string | undefined> {
  if (SPECIAL.has(name)) return undefined;
  try {
    const { notes } = await exportResult({ folder, format: 'gguf', output, dtype: 'f32' });
    return notes.length === 0 ? output : undefined;
  } catch (error) {
    if (error instanceof LorafaError && error.code === 'model.unsupported') return undefined;
    throw error;
  }
}

/** Makes of an OLMo 3 of three layers one of three that slide and one, with the weights of the first, that sees everything. */
async function addFullLayer(folder: string): Promise<void> {
  const [config, weights] = ['config.json', 'model.safetensors'].map((name) =>
    path.join(folder, name),
  ) as [string, string];
  const layer_types = [...Array<string>(3).fill('sliding_attention'), 'full_attention'];
  const told = JSON.parse(await readFile(config, 'utf8')) as object;
  await writeFile(config, JSON.stringify({ ...told, layer_types, num_hidden_layers: 4 }));
  const { tensors } = await openSafetensors(weights);
  const all: TensorToWrite[] = [];
  for (const tensor of tensors.values()) {
    const { name, shape } = tensor;
    const stored = { name, shape, dtype: 'F32' as const, data: await readTensor(tensor) };
    all.push(stored);
    if (name.startsWith('model.layers.0.')) {
      all.push({ ...stored, name: name.replace('layers.0.', 'layers.3.') });
    }
  }
  await writeSafetensors(weights, all);
}
