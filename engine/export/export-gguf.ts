import { stat } from 'node:fs/promises';
import { type GgufValue, uint32 } from '../architectures/gguf-conventions.ts';
import { parseDecoderConfig } from '../architectures/hugging-face-config.ts';
import { streamTensor } from '../formats/tensor-data.ts';
import { type GgufFile, openGguf } from '../gguf/gguf.ts';
import { ggufConfig } from '../gguf/gguf-config.ts';
import { type GgufEntries, storedEntries } from '../gguf/gguf-entries.ts';
import { ggufModelMetadata, ggufRopeFactors } from '../gguf/gguf-model-metadata.ts';
import { ggufTokenizer } from '../gguf/gguf-tokenizer.ts';
import { chatTemplateEntry, ggufVocabulary } from '../gguf/gguf-vocabulary.ts';
import { type KnownTensor, knownTensors, unpackGguf } from '../gguf/gguf-weights.ts';
import { type GgufTensorToWrite, ggmlBytes, writeGguf } from '../gguf/write-gguf.ts';
import type { JsonObject } from '../json-file.ts';
import { checkTensors, checkTokenizer, type Tolerance } from './check-export.ts';
import {
  EXPORT_DTYPES_OF,
  type ExportDtype,
  type ExportOptions,
  type ExportProgress,
  type PlannedExport,
} from './export-format.ts';
import { type ExportSource, openExportSource } from './export-source.ts';
import { ggufDifferences } from './gguf-differences.ts';
import { generalEntries, QUANTIZATION_VERSION, requireArchitecture } from './gguf-general.ts';
import { mixedModel, q4kmType } from './gguf-mixture.ts';
import {
  encode,
  FILE_TYPES,
  meantAs,
  orderRows,
  q8Tolerance,
  typeOf,
  type WrittenType,
} from './gguf-values.ts';
import { llamaCppNotes } from './llama-cpp-notes.ts';
import { matrixDtype, mergedTensors } from './merged-tensors.ts';
import {
  allRows,
  type ModelTensor,
  madeTensor,
  rounded,
  rowsFrom,
  transposedTensor,
  valuesIn,
} from './model-tensor.ts';
import { filesOf } from './source-files.ts';

const OWN_DTYPES = { F32: 'f16', F16: 'f16', BF16: 'bf16' } as const;

/** Matrices that llama.cpp wants in float32: what chooses experts, and positions. */
const IN_FLOAT32 = /^(blk\.\d+\.ffn_gate_inp|position_embd)\.weight$/;

/** A tensor of the model and what it is in the file. */
interface GgufPlace extends KnownTensor {
  readonly gguf: string;
  readonly tensor: ModelTensor;
  readonly type: WrittenType;
}

/**
 * A whole model in one file as llama.cpp's converter writes it, with the adapter merged into its weights.
 *
 * @throws LorafaError `model.unsupported` where llama.cpp does not know the model, `model.tokenizer`
 */
export async function planGguf(folder: string, options: ExportOptions): Promise<PlannedExport> {
  return planGgufOf(await openExportSource(folder, options), options);
}

/** The same of a source that is open. */
export async function planGgufOf(
  source: ExportSource,
  options: ExportOptions,
): Promise<PlannedExport> {
  const { base } = source;
  requireArchitecture(base.config);
  const tensors = await mergedTensors(source);
  const dtype = options.dtype ?? OWN_DTYPES[matrixDtype(tensors)];
  const stacks = placesOf(source, tensors, dtype);
  const bytesOf = (all: typeof stacks): number =>
    all.flat().reduce((sum, { type, tensor }) => sum + ggmlBytes(type, tensor.shape), 0);
  const stored = (await stat(base.path)).isFile() ? await openGguf(base.path) : undefined;
  const metadata = await metadataOf(source, stored, stacks, dtype);
  const factors = stored ? storedFactors(stored) : madeFactors(source);
  return {
    bytes: bytesOf(stacks),
    bytesIn: (other) => bytesOf(placesOf(source, tensors, other)),
    tensors: stacks.length,
    values: valuesIn(tensors),
    modules: source.adapter?.modules.length ?? 0,
    sources: filesOf(source.base.weights.tensors.values()),
    dtype,
    baseDtype: EXPORT_DTYPES_OF[matrixDtype(tensors)],
    write: (file, progress) =>
      writeGguf(file, metadata, [...factors, ...stacks.map((stack) => toWrite(stack, progress))]),
    check: (file, progress) => checkGguf(file, source, stacks, progress),
  };
}

/**
 * What is in each tensor of the file: one of the model, or those of all experts. Matrices are in the type that is
 * asked for, vectors, norms and routers in float32, as llama.cpp wants them.
 */
function placesOf(
  { base }: ExportSource,
  tensors: readonly ModelTensor[],
  dtype: ExportDtype,
): readonly (readonly GgufPlace[])[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const mixed = mixedModel(base.config, byName.has(`${base.config.outputName}.weight`));
  const wantedFor = (gguf: string): WrittenType => {
    if (IN_FLOAT32.test(gguf)) return 'F32';
    return dtype === 'q4_k_m' ? q4kmType(gguf, mixed) : FILE_TYPES[dtype].type;
  };
  const stacks = [...knownTensors(base.config)].map(([gguf, all]) =>
    all.flatMap((known) => {
      const tensor = byName.get(known.name);
      if (tensor === undefined) return [];
      const inFile = inFileShape(tensor, known);
      return [{ ...known, gguf, tensor: inFile, type: typeOf(inFile.shape, wantedFor(gguf)) }];
    }),
  );
  return stacks.filter((stack) => stack.length > 0);
}

/** Matrices are `[out, in]` in the file, and some of them a part of what they are in the model. */
function inFileShape(tensor: ModelTensor, { fanInFanOut, rows }: KnownTensor): ModelTensor {
  const matrix = fanInFanOut ? transposedTensor(tensor) : tensor;
  return rows === undefined ? matrix : rowsFrom(matrix, rows);
}

async function metadataOf(
  source: ExportSource,
  stored: GgufFile | undefined,
  stacks: readonly (readonly GgufPlace[])[],
  dtype: ExportDtype,
): Promise<GgufEntries> {
  const { base, tokenizer, name } = source;
  const file: GgufEntries = new Map([
    ['general.file_type', uint32(FILE_TYPES[dtype].number)],
    QUANTIZATION_VERSION,
  ]);
  if (stored !== undefined) {
    return new Map([
      ...(await storedEntries(stored.file)),
      ...chatTemplateEntry(tokenizer),
      ...file,
    ]);
  }
  return new Map([
    ...generalEntries(base.config, {
      type: 'model',
      name,
      // Of experts, one is counted.
      parameters: valuesIn(stacks.map(([first]) => first!.tensor)),
      experts: Math.max(...stacks.map(({ length }) => length)),
    }),
    ...samplingEntries(tokenizer.generationConfig),
    ...ggufModelMetadata(base.config, base.configJson),
    ...file,
    ...ggufVocabulary(tokenizer, base.config),
  ]);
}

/** A tensor as the file has it: its rows in order, the 1 of some norms added, experts one after the other. */
function toWrite(stack: readonly GgufPlace[], progress: ExportProgress): GgufTensorToWrite {
  const { gguf: name, type, tensor } = stack[0]!;
  return {
    name,
    type,
    shape: stack.length === 1 ? tensor.shape : [stack.length, ...tensor.shape],
    async *pieces() {
      for (const place of stack) {
        for await (const values of valuesInFile(place)) {
          const bytes = encode(name, type, values);
          progress(bytes.byteLength);
          yield bytes;
        }
      }
    },
  };
}

async function* valuesInFile(place: GgufPlace): AsyncGenerator<Float32Array> {
  const { offset } = place;
  for await (const rows of inFileOrder(place)) {
    yield offset === 0 ? rows : rows.map((value) => value + offset);
  }
}

async function* inFileOrder({ tensor, rowOrder }: GgufPlace): AsyncGenerator<Float32Array> {
  if (rowOrder === undefined) yield* tensor.rows();
  else yield orderRows(await allRows(tensor), tensor.shape, rowOrder);
}

/** Factors of positions that the base has as tensors. */
function madeFactors({ base }: ExportSource): readonly GgufTensorToWrite[] {
  return [...ggufRopeFactors(base.config)].map(([name, values]) => ({
    name,
    type: 'F32',
    shape: [values.length],
    async *pieces() {
      yield rounded(name, 'F32', values);
    },
  }));
}

/** The same of a base that is a GGUF file, as they lie there. */
function storedFactors({ tensors }: GgufFile): readonly GgufTensorToWrite[] {
  return [...tensors.values()]
    .filter(({ name }) => name.startsWith('rope_'))
    .map((tensor) => ({ ...tensor, pieces: () => streamTensor(tensor) }));
}

async function checkGguf(
  file: string,
  source: ExportSource,
  stacks: readonly (readonly GgufPlace[])[],
  progress: ExportProgress,
): Promise<readonly string[]> {
  const gguf = await openGguf(file);
  const config = parseDecoderConfig(await ggufConfig(gguf), file);
  const known = knownTensors(config);
  // Under the names of the model that is read, which are others for a text part and where layers are apart.
  const byName = new Map(
    stacks.flatMap((stack) =>
      stack.map((place, at) => [known.get(place.gguf)?.[at]?.name ?? place.name, place] as const),
    ),
  );
  const read = unpackGguf(gguf, config, 'F32')
    .map(madeTensor)
    .map((tensor) => (byName.get(tensor.name)?.fanInFanOut ? transposedTensor(tensor) : tensor));
  const meant = [...byName].map(([name, { tensor, type }]) => ({
    ...meantAs(tensor, type),
    name,
  }));
  await checkTensors(file, meant, read, progress, (name) => toleranceOf(byName.get(name)!));
  checkTokenizer(file, source, { tokenizer: ggufTokenizer(gguf), config });
  return [...ggufDifferences(source.base.config, config), ...llamaCppNotes(source.base.config)];
}

function toleranceOf({ type, offset }: GgufPlace): Tolerance | undefined {
  if (type === 'Q8_0') return q8Tolerance;
  // The 1 that was added is taken away again, each time rounded to float32.
  return offset === 0 ? undefined : (meant) => (index) => 2 ** -22 * (1 + Math.abs(meant[index]!));
}

/** What a model's `generation_config.json` says of sampling, for programs that take it from the file. */
function samplingEntries(config: JsonObject | null): [string, GgufValue][] {
  const entry = (key: string, name: string, type: 'int32' | 'float32'): [string, GgufValue][] => {
    const value = config?.[key];
    return typeof value === 'number' ? [[`general.sampling.${name}`, { type, value }]] : [];
  };
  return [
    ...entry('top_k', 'top_k', 'int32'),
    ...entry('top_p', 'top_p', 'float32'),
    ...entry('min_p', 'min_p', 'float32'),
    ...entry('temperature', 'temp', 'float32'),
    ...entry('repetition_penalty', 'penalty_repeat', 'float32'),
  ];
}
