import path from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { ensureFolder } from '../files/folders.ts';
import type { NarrowDtype } from '../formats/tensor-data.ts';
import type { JsonObject } from '../json-file.ts';
import { openBaseModel } from '../models/base-model.ts';
import { configText } from '../models/config-text.ts';
import { SHARD_INDEX, SINGLE_FILE } from '../models/hugging-face-folder.ts';
import { checkTensors, checkTokenizer } from './check-export.ts';
import {
  EXPORT_DTYPES_OF,
  type ExportOptions,
  type ExportProgress,
  type PlannedExport,
} from './export-format.ts';
import { type ExportSource, openExportSource } from './export-source.ts';
import { copyProcessor, writeTokenizer } from './export-tokenizer.ts';
import { matrixDtype, mergedTensors } from './merged-tensors.ts';
import { bytesOf, type Shard, shardsOf, writeShard } from './model-shards.ts';
import { type AnyTensor, isOfFloats, storedTensor, valuesIn } from './model-tensor.ts';
import { filesOf } from './source-files.ts';
import { wholeModel } from './whole-model.ts';

/** As transformers had it up to its fourth version, and the Hub likes it. */
const SHARD_BYTES = 5e9;

const DTYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;
const TORCH_DTYPES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/**
 * A whole model as `save_pretrained` writes it, with the adapter merged into its weights. What reads images is
 * taken as it lies.
 */
export async function planMerged(folder: string, options: ExportOptions): Promise<PlannedExport> {
  const source = await openExportSource(folder, options);
  const { isPart } = source.base.config;
  const text = await mergedTensors(source);
  const whole = isPart ? await wholeModel(source.base, text) : undefined;
  const merged = whole?.tensors ?? text;
  const tensors = inDtype(merged, source, options.dtype);
  const shards = shardsOf(tensors, options.maxShardBytes ?? SHARD_BYTES);
  return {
    bytes: bytesOf(tensors),
    bytesIn: (dtype) => bytesOf(inDtype(merged, source, dtype)),
    tensors: tensors.length,
    values: valuesIn(tensors),
    modules: source.adapter?.modules.length ?? 0,
    sources: filesOf(whole?.locations ?? source.base.weights.tensors.values()),
    dtype: EXPORT_DTYPES_OF[matrixDtype(tensors)],
    write: (target, progress) => writeFolder(target, source, shards, progress),
    check: async (target, progress) => {
      const read = await openBaseModel(target);
      const stored = isPart
        ? (await wholeModel(read)).tensors
        : [...read.weights.tensors.values()].map(storedTensor);
      await checkTensors(target, tensors, stored, progress);
      checkTokenizer(target, source, read);
      return [];
    },
  };
}

/**
 * The tensors in the types that they are written in: those of the base, unless another is asked for, of floats. A model
 * that was trained whole has float32 in its checkpoints; its own type is what its config says.
 */
function inDtype(
  tensors: readonly AnyTensor[],
  { adapter, base }: ExportSource,
  asked: ExportOptions['dtype'],
): readonly AnyTensor[] {
  const own = adapter === null ? torchDtype(base.configJson) : undefined;
  const dtype = asked === undefined ? own : DTYPES[asked as keyof typeof DTYPES];
  if (dtype === undefined) return tensors;
  return tensors.map((tensor) => (isOfFloats(tensor) ? { ...tensor, dtype } : tensor));
}

/** `dtype` in the words of transformers 5, `torch_dtype` before. */
function torchDtype(config: JsonObject): NarrowDtype | undefined {
  const named = config['dtype'] ?? config['torch_dtype'];
  return (['F32', 'F16', 'BF16'] as const).find((dtype) => TORCH_DTYPES[dtype] === named);
}

async function writeFolder(
  folder: string,
  source: ExportSource,
  shards: readonly Shard[],
  progress: ExportProgress,
): Promise<void> {
  await ensureFolder(folder);
  const places: Record<string, string> = {};
  for (const [index, { tensors }] of shards.entries()) {
    const file = shardName(index, shards.length);
    for (const { name } of tensors) places[name] = file;
    await writeShard(path.join(folder, file), tensors, progress);
  }
  const all = shards.flatMap(({ tensors }) => tensors);
  if (shards.length > 1) {
    const index = { metadata: { total_size: bytesOf(all) }, weight_map: places };
    await writeFileAtomic(path.join(folder, SHARD_INDEX), `${JSON.stringify(index, null, 2)}\n`);
  }
  const dtype = matrixDtype(all);
  const config = configText(configOf(source.base.configJson, dtype));
  await writeFileAtomic(path.join(folder, 'config.json'), config);
  await writeTokenizer(folder, source);
  if (source.base.config.isPart) await copyProcessor(folder, source.base);
}

function shardName(index: number, count: number): string {
  if (count === 1) return SINGLE_FILE;
  const number = (value: number): string => String(value).padStart(5, '0');
  return `model-${number(index + 1)}-of-${number(count)}.safetensors`;
}

/** The base's `config.json` with the type that the weights have now. */
export function configOf(config: JsonObject, dtype: NarrowDtype): JsonObject {
  return { ...config, ['dtype' in config ? 'dtype' : 'torch_dtype']: TORCH_DTYPES[dtype] };
}
