import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { copyFile } from '../files/create-file.ts';
import { ensureFolder } from '../files/folders.ts';
import { writeSafetensors } from '../formats/safetensors-writer.ts';
import type { NarrowDtype } from '../formats/tensor-data.ts';
import { BYTES_PER_ELEMENT, elementCount } from '../formats/tensor-location.ts';
import type { JsonObject } from '../json-file.ts';
import { type BaseModel, openBaseModel } from '../models/base-model.ts';
import { SHARD_INDEX, SINGLE_FILE } from '../models/hugging-face-folder.ts';
import { saveTokenizerFiles } from '../tokenizer/save-tokenizer.ts';
import { checkTensors, checkTokenizer } from './check-export.ts';
import {
  EXPORT_DTYPES_OF,
  type ExportOptions,
  type ExportProgress,
  type PlannedExport,
} from './export-format.ts';
import { type ExportSource, openExportSource } from './export-source.ts';
import { matrixDtype, mergedTensors } from './merged-tensors.ts';
import { type ModelTensor, rounded, storedTensor, valuesIn } from './model-tensor.ts';

/** As transformers had it up to its fourth version, and the Hub likes it. */
const SHARD_BYTES = 5e9;

const DTYPES = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const;
const TORCH_DTYPES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/**
 * What lies in published folders beside the files that this project reads: some programs make their
 * tokenizer of these.
 */
const OTHER_TOKENIZER_FILES = [
  'added_tokens.json',
  'merges.txt',
  'special_tokens_map.json',
  'tokenizer.model',
  'vocab.json',
];

/** A whole model as `save_pretrained` writes it, with the adapter merged into its weights. */
export async function planMerged(folder: string, options: ExportOptions): Promise<PlannedExport> {
  const source = await openExportSource(folder, options);
  requireWhole(source.base);
  const tensors = inDtype(await mergedTensors(source), source, options.dtype);
  const shards = shardsOf(tensors, options.maxShardBytes ?? SHARD_BYTES);
  return {
    bytes: shards.reduce((sum, shard) => sum + shard.bytes, 0),
    tensors: tensors.length,
    values: valuesIn(tensors),
    modules: source.adapter?.modules.length ?? 0,
    dtype: EXPORT_DTYPES_OF[matrixDtype(tensors)],
    write: (target, progress) => writeFolder(target, source, shards, progress),
    check: async (target, progress) => {
      const read = await openBaseModel(target);
      const stored = [...read.weights.tensors.values()].map(storedTensor);
      await checkTensors(target, tensors, stored, progress);
      checkTokenizer(target, source, read);
      return [];
    },
  };
}

/** @throws LorafaError `model.unsupported` for the text part of a model whose other parts are not read */
function requireWhole({ config, path: file }: BaseModel): void {
  if (!config.isPart) return;
  throw new LorafaError(
    'model.unsupported',
    `${file} is a model with parts that are not read here, so that it is not written as a whole; export its text as gguf or ollama, or the adapter as peft, which PEFT loads into the whole model.`,
    { location: { file } },
  );
}

/**
 * The tensors in the types that they are written in: those of the base, unless another is asked for. A model
 * that was trained whole has float32 in its checkpoints; its own type is what its config says.
 */
function inDtype(
  tensors: readonly ModelTensor[],
  { adapter, base }: ExportSource,
  asked: ExportOptions['dtype'],
): readonly ModelTensor[] {
  const own = adapter === null ? torchDtype(base.configJson) : undefined;
  const dtype = asked === undefined ? own : DTYPES[asked as keyof typeof DTYPES];
  return dtype === undefined ? tensors : tensors.map((tensor) => ({ ...tensor, dtype }));
}

/** `dtype` in the words of transformers 5, `torch_dtype` before. */
function torchDtype(config: JsonObject): NarrowDtype | undefined {
  const named = config['dtype'] ?? config['torch_dtype'];
  return (['F32', 'F16', 'BF16'] as const).find((dtype) => TORCH_DTYPES[dtype] === named);
}

interface Shard {
  readonly tensors: readonly ModelTensor[];
  readonly bytes: number;
}

/** Tensors in their order, as many in a shard as fit; one that is larger than a shard has its own. */
function shardsOf(tensors: readonly ModelTensor[], limit: number): readonly Shard[] {
  const shards: { tensors: ModelTensor[]; bytes: number }[] = [{ tensors: [], bytes: 0 }];
  for (const tensor of tensors) {
    const bytes = elementCount(tensor.shape) * BYTES_PER_ELEMENT[tensor.dtype];
    const last = shards.at(-1)!;
    if (last.bytes > 0 && last.bytes + bytes > limit) {
      shards.push({ tensors: [tensor], bytes });
    } else {
      last.tensors.push(tensor);
      last.bytes += bytes;
    }
  }
  return shards;
}

async function writeFolder(
  folder: string,
  source: ExportSource,
  shards: readonly Shard[],
  progress: ExportProgress,
): Promise<void> {
  const { base, tokenizer } = source;
  await ensureFolder(folder);
  const json = (name: string, content: object): Promise<void> =>
    writeFileAtomic(path.join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
  const places: Record<string, string> = {};
  for (const [index, { tensors }] of shards.entries()) {
    const file = shardName(index, shards.length);
    for (const { name } of tensors) places[name] = file;
    const streamed = tensors.map((tensor) => ({
      ...tensor,
      pieces: () => piecesOf(tensor, progress),
    }));
    await writeSafetensors(path.join(folder, file), streamed, { format: 'pt' });
  }
  if (shards.length > 1) {
    const total = shards.reduce((sum, { bytes }) => sum + bytes, 0);
    await json(SHARD_INDEX, { metadata: { total_size: total }, weight_map: places });
  }
  await json('config.json', configOf(base.configJson, shards));
  await saveTokenizerFiles(folder, tokenizer);
  // None in a GGUF file.
  const present: string[] = await readdir(base.path).catch(() => []);
  for (const name of OTHER_TOKENIZER_FILES.filter((each) => present.includes(each))) {
    await copyFile(path.join(base.path, name), path.join(folder, name));
  }
}

function shardName(index: number, count: number): string {
  if (count === 1) return SINGLE_FILE;
  const number = (value: number): string => String(value).padStart(5, '0');
  return `model-${number(index + 1)}-of-${number(count)}.safetensors`;
}

/** The base's `config.json` with the type that the weights have now. */
function configOf(config: JsonObject, shards: readonly Shard[]): JsonObject {
  const dtype = TORCH_DTYPES[matrixDtype(shards.flatMap(({ tensors }) => tensors))];
  return { ...config, ['dtype' in config ? 'dtype' : 'torch_dtype']: dtype };
}

async function* piecesOf(
  { name, dtype, rows }: ModelTensor,
  progress: ExportProgress,
): AsyncGenerator<Uint8Array> {
  for await (const values of rows()) {
    const bytes = rounded(name, dtype, values);
    progress(bytes.byteLength);
    yield bytes;
  }
}
