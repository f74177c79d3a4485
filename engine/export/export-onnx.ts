import path from 'node:path';
import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { textConfig } from '../architectures/hugging-face-config.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { ensureFolder } from '../files/folders.ts';
import type { JsonObject } from '../json-file.ts';
import { openTokenizer } from '../models/base-model.ts';
import { configText } from '../models/config-text.ts';
import { writeOnnx } from '../onnx/writer.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { checkTensors, checkTokenizer } from './check-export.ts';
import { checkOnnx } from './check-onnx.ts';
import type { ExportOptions, ExportProgress, PlannedExport } from './export-format.ts';
import { configOf } from './export-merged.ts';
import { type ExportSource, openExportSource } from './export-source.ts';
import { writeTokenizer } from './export-tokenizer.ts';
import { genaiConfig } from './genai-config.ts';
import { mergedTensors } from './merged-tensors.ts';
import { bytesOf, type Shard, shardsOf, writeShard } from './model-shards.ts';
import { storedTensor, valuesIn } from './model-tensor.ts';
import { onnxDecoder } from './onnx-decoder.ts';
import { dataName, ONNX_FILES, ONNX_FOLDER, type OnnxDtype, openOnnxData } from './onnx-folder.ts';
import { onnxNotes } from './onnx-notes.ts';
import { filesOf } from './source-files.ts';

/** What a browser holds in one array. */
const DATA_BYTES = 2e9;

const DTYPES = { f32: 'F32', f16: 'F16' } as const;

/**
 * A folder that ONNX Runtime GenAI and transformers.js load: a decoder with a cache as a graph, with the adapter
 * merged into its weights, which lie beside it.
 *
 * @throws LorafaError `model.unsupported` as `genaiConfig`
 */
export async function planOnnx(folder: string, options: ExportOptions): Promise<PlannedExport> {
  const source = await openExportSource(folder, options);
  const dtype = (options.dtype ?? 'f32') as OnnxDtype;
  const tokenizer = loadTokenizer(source.tokenizer, source.base.config);
  const filename = path.posix.join(ONNX_FOLDER, ONNX_FILES[dtype].model);
  const genai = genaiConfig({
    config: source.base.config,
    tokenizer,
    generationConfig: source.tokenizer.generationConfig,
    filename,
  });
  const merged = await mergedTensors(source);
  const stored = (type: OnnxDtype) => merged.map((each) => ({ ...each, dtype: DTYPES[type] }));
  const tensors = stored(dtype);
  const shards = shardsOf(tensors, options.maxShardBytes ?? DATA_BYTES);
  return {
    bytes: bytesOf(tensors),
    bytesIn: (other) => bytesOf(stored(other as OnnxDtype)),
    tensors: tensors.length,
    values: valuesIn(tensors),
    modules: source.adapter?.modules.length ?? 0,
    sources: filesOf(source.base.weights.tensors.values()),
    dtype,
    write: async (target, progress) => {
      await writeGraph(target, source.base.config, { dtype, shards, filename }, progress);
      const write = (name: string, content: string): Promise<void> =>
        writeFileAtomic(path.join(target, name), content);
      await write('genai_config.json', `${JSON.stringify(genai, null, 2)}\n`);
      const config = {
        // What has parts that are not there would be loaded as a model that has them.
        ...configOf(textConfig(source.base.config, source.base.configJson), DTYPES[dtype]),
        'transformers.js_config': transformersJsConfig(dtype, shards.length),
      };
      await write('config.json', configText(config));
      await writeTokenizer(target, withEnds(source, tokenizer));
    },
    check: async (target, progress) => {
      const files = await openOnnxData(target, dtype, shards.length);
      const read = await openTokenizer(target);
      await checkTensors(target, tensors, [...files.tensors.values()].map(storedTensor), progress);
      checkTokenizer(target, source, read);
      // Its tensors have the names that they have in the whole model.
      await checkOnnx(path.join(target, filename), source.base.config, files, progress);
      return onnxNotes(read.config);
    },
  };
}

/** Weights, and the graph that is made from where they lie. */
async function writeGraph(
  target: string,
  config: DecoderConfig,
  files: {
    readonly dtype: OnnxDtype;
    readonly shards: readonly Shard[];
    readonly filename: string;
  },
  progress: ExportProgress,
): Promise<void> {
  const { dtype, shards, filename } = files;
  await ensureFolder(path.join(target, ONNX_FOLDER));
  for (const [index, shard] of shards.entries()) {
    const file = path.join(target, ONNX_FOLDER, dataName(dtype, index));
    await writeShard(file, shard.tensors, progress);
  }
  const stored = await openOnnxData(target, dtype, shards.length);
  const graph = writeOnnx(onnxDecoder(config, stored), 'topological');
  await writeFileAtomic(path.join(target, filename), graph);
}

function transformersJsConfig(dtype: OnnxDtype, files: number): JsonObject {
  const { dtype: name, model } = ONNX_FILES[dtype];
  return { dtype: name, use_external_data_format: { [model]: files } };
}

/** transformers.js ends a text by what `generation_config.json` says. */
function withEnds(source: ExportSource, { eosIds }: Tokenizer): ExportSource {
  const { tokenizer } = source;
  const generationConfig = { eos_token_id: [...eosIds], ...tokenizer.generationConfig };
  return { ...source, tokenizer: { ...tokenizer, generationConfig } };
}
