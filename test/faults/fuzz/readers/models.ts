import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expectedTensors } from '../../../../engine/architectures/expected-tensors.ts';
import { parseDecoderConfig } from '../../../../engine/architectures/hugging-face-config.ts';
import { linearModules } from '../../../../engine/architectures/linear-modules.ts';
import { openSafetensors } from '../../../../engine/formats/safetensors.ts';
import { writeSafetensors } from '../../../../engine/formats/safetensors-writer.ts';
import { isFloatDtype, readTensor } from '../../../../engine/formats/tensor-data.ts';
import { openGguf } from '../../../../engine/gguf/gguf.ts';
import { ggufConfig } from '../../../../engine/gguf/gguf-config.ts';
import { unpackGguf } from '../../../../engine/gguf/gguf-weights.ts';
import { openGgufModel } from '../../../../engine/models/gguf-model.ts';
import { openWeights, readDecoderConfig } from '../../../../engine/models/hugging-face-folder.ts';
import { loadTokenizer } from '../../../../engine/tokenizer/tokenizer.ts';
import { selectWeights } from '../../../../engine/weights/check-weights.ts';
import { describeTensors } from '../../../../engine/weights/weight-cache.ts';
import type { FuzzedReader } from '../reader.ts';
import { ggufSeeds, ggufSplit } from './gguf-seeds.ts';
import { DECODER, jsonBytes, MODEL_CONFIG, NEWER_MODEL_CONFIG, writeShards } from './tiny-files.ts';

/** Seconds that a tokenizer may take here: far less than in earnest, where it may be a good one. */
const SECONDS = 0.3;

const safetensors: FuzzedReader = {
  name: 'safetensors',
  kind: 'bytes',
  prepare: async (folder) => {
    const file = path.join(folder, 'model.safetensors');
    const seed = path.join(folder, 'seed.safetensors');
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    await writeSafetensors(
      seed,
      [
        { name: 'a.weight', dtype: 'F32', shape: [2, 3], data },
        { name: 'b.weight', dtype: 'F16', shape: [6], data },
        { name: 'c.bias', dtype: 'BF16', shape: [3, 2], data },
      ],
      { format: 'pt' },
    );
    return {
      file,
      seeds: [await readFile(seed)],
      read: async () => {
        const { tensors } = await openSafetensors(file);
        for (const tensor of tensors.values()) {
          if (isFloatDtype(tensor.dtype)) await readTensor(tensor);
        }
      },
    };
  },
};

const gguf: FuzzedReader = {
  name: 'GGUF',
  kind: 'bytes',
  prepare: async (folder) => {
    const file = path.join(folder, 'model.gguf');
    return { file, seeds: ggufSeeds(), read: () => readGguf(file, folder) };
  },
};

/** The `config.json` of a small model of each family. */
async function familyConfigs(): Promise<Uint8Array[]> {
  const folder = path.join(process.env['FUZZ_ROOT']!, 'test/reference/golden/models');
  const names = await readdir(folder);
  return Promise.all(names.map((name) => readFile(path.join(folder, name, 'config.json'))));
}

const ggufPart: FuzzedReader = {
  name: 'later part of a GGUF',
  kind: 'bytes',
  prepare: async (folder) => {
    const place = (part: number) => path.join(folder, `model-0000${part}-of-00002.gguf`);
    const [first, second] = ggufSplit();
    await writeFile(place(1), first);
    return { file: place(2), seeds: [second], read: () => readGguf(place(1), folder) };
  },
};

async function readGguf(file: string, folder: string): Promise<void> {
  const opened = await openGguf(file);
  const config = parseDecoderConfig(await ggufConfig(opened), file);
  const tensors = unpackGguf(opened, config);
  const selected = selectWeights(config, describeTensors(tensors, file), file);
  for (const { name, data } of tensors) {
    if (!selected.tensors.has(name)) continue;
    if (typeof data === 'function') await data();
  }
  const model = await openGgufModel(file, { headersOnly: true, cacheFolder: folder });
  loadTokenizer(model.tokenizer, model.config, { seconds: SECONDS });
}

const modelConfig: FuzzedReader = {
  name: 'config.json of a model',
  kind: 'json',
  prepare: async (folder) => ({
    file: path.join(folder, 'config.json'),
    seeds: [jsonBytes(MODEL_CONFIG), jsonBytes(NEWER_MODEL_CONFIG, 2), ...(await familyConfigs())],
    read: async () => {
      const { config } = await readDecoderConfig(folder);
      linearModules(config);
      expectedTensors(config);
    },
  }),
};

const shardIndex: FuzzedReader = {
  name: 'index of shards',
  kind: 'json',
  prepare: async (folder) => {
    const file = path.join(folder, 'model.safetensors.index.json');
    return {
      file,
      seeds: [jsonBytes(await writeShards(folder))],
      read: async () => void (await openWeights(folder, DECODER)),
    };
  },
};

/** What base models are made of, but for their tokenizers. */
export const modelReaders: readonly FuzzedReader[] = [
  safetensors,
  gguf,
  ggufPart,
  modelConfig,
  shardIndex,
];
