import { stat } from 'node:fs/promises';
import { type GgufValue, uint32 } from '../architectures/gguf-conventions.ts';
import { parseDecoderConfig } from '../architectures/hugging-face-config.ts';
import { LorafaError } from '../errors.ts';
import { type NarrowDtype, streamTensor } from '../formats/tensor-data.ts';
import { type GgufFile, openGguf } from '../gguf/gguf.ts';
import { ggufConfig } from '../gguf/gguf-config.ts';
import { type GgufEntries, storedEntries } from '../gguf/gguf-entries.ts';
import {
  ggufArchitecture,
  ggufModelMetadata,
  ggufRopeFactors,
} from '../gguf/gguf-model-metadata.ts';
import { ggufTokenizer } from '../gguf/gguf-tokenizer.ts';
import { chatTemplateEntry, ggufVocabulary } from '../gguf/gguf-vocabulary.ts';
import { type KnownTensor, knownTensors, type RowOrder, unpackGguf } from '../gguf/gguf-weights.ts';
import { fitsQ8_0, quantizeQ8_0 } from '../gguf/quantize-q8-0.ts';
import { type GgufTensorToWrite, ggmlBytes, writeGguf } from '../gguf/write-gguf.ts';
import type { JsonObject } from '../json-file.ts';
import { checkTensors, checkTokenizer, type Tolerance } from './check-export.ts';
import type { ExportDtype, ExportOptions, ExportProgress, PlannedExport } from './export-format.ts';
import type { ExportSource } from './export-source.ts';
import { ggufDifferences } from './gguf-differences.ts';
import { matrixDtype, mergedTensors } from './merged-tensors.ts';
import {
  allRows,
  type ModelTensor,
  madeTensor,
  rounded,
  rowWidth,
  valuesIn,
} from './model-tensor.ts';

/** `general.file_type` (llama.cpp `llama_ftype`), and what matrices are stored in. */
const FILE_TYPES = {
  f32: { number: 0, type: 'F32' },
  f16: { number: 1, type: 'F16' },
  q8_0: { number: 7, type: 'Q8_0' },
  bf16: { number: 32, type: 'BF16' },
} as const;

/** `general.quantization_version` (`GGML_QNT_VERSION`). */
const QUANTIZATION_VERSION = 2;

const OWN_DTYPES = { F32: 'f16', F16: 'f16', BF16: 'bf16' } as const;

/** A tensor of the model and what it is in the file. */
interface GgufPlace extends KnownTensor {
  readonly gguf: string;
  readonly tensor: ModelTensor;
  readonly type: GgufTensorToWrite['type'];
}

/**
 * A whole model in one file as llama.cpp's converter writes it, with the adapter merged into its weights.
 *
 * @throws LorafaError `model.unsupported` where llama.cpp does not know the model, `model.tokenizer`
 */
export async function planGguf(
  source: ExportSource,
  options: ExportOptions,
): Promise<PlannedExport> {
  const { base } = source;
  if (ggufArchitecture(base.config) === undefined) {
    throw new LorafaError(
      'model.unsupported',
      `llama.cpp does not know models of the kind ${base.config.family}; export it merged (--format merged) instead.`,
    );
  }
  const tensors = await mergedTensors(source);
  const dtype = options.dtype ?? OWN_DTYPES[matrixDtype(tensors)];
  const places = placesOf(source, tensors, dtype);
  const stored = (await stat(base.path)).isFile() ? await openGguf(base.path) : undefined;
  const metadata = await metadataOf(source, stored, places, dtype);
  const factors = stored ? storedFactors(stored) : madeFactors(source);
  const size = (sum: number, { type, tensor }: GgufPlace): number =>
    sum + ggmlBytes(type, tensor.shape);
  return {
    bytes: places.reduce(size, 0),
    tensors: places.length,
    values: valuesIn(tensors),
    dtype,
    write: (file, progress) =>
      writeGguf(file, metadata, [...factors, ...places.map((place) => toWrite(place, progress))]),
    check: (file, progress) => checkGguf(file, source, places, progress),
  };
}

/** Matrices are in the type that is asked for, vectors and norms in float32, as llama.cpp wants them. */
function placesOf(
  { base }: ExportSource,
  tensors: readonly ModelTensor[],
  dtype: ExportDtype,
): readonly GgufPlace[] {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  return [...knownTensors(base.config)].flatMap(([gguf, known]) => {
    const tensor = byName.get(known.name);
    return tensor === undefined
      ? []
      : [{ ...known, gguf, tensor, type: typeOf(tensor.shape, dtype) }];
  });
}

/** Rows that are no whole blocks stay in float16. */
export function typeOf(
  shape: readonly number[],
  dtype: ExportDtype,
): (typeof FILE_TYPES)[ExportDtype]['type'] {
  if (shape.length < 2) return 'F32';
  return dtype === 'q8_0' && !fitsQ8_0(shape.at(-1)!) ? 'F16' : FILE_TYPES[dtype].type;
}

async function metadataOf(
  source: ExportSource,
  stored: GgufFile | undefined,
  places: readonly GgufPlace[],
  dtype: ExportDtype,
): Promise<GgufEntries> {
  const { base, tokenizer, name } = source;
  const file: GgufEntries = new Map([
    ['general.file_type', uint32(FILE_TYPES[dtype].number)],
    ['general.quantization_version', uint32(QUANTIZATION_VERSION)],
  ]);
  if (stored !== undefined) {
    return new Map([
      ...(await storedEntries(stored.file)),
      ...chatTemplateEntry(tokenizer),
      ...file,
    ]);
  }
  return new Map([
    ['general.architecture', ggufArchitecture(base.config)!],
    ['general.type', 'model'],
    ['general.name', name],
    ['general.size_label', sizeLabel(valuesIn(places.map(({ tensor }) => tensor)))],
    ...samplingEntries(tokenizer.generationConfig),
    ...ggufModelMetadata(base.config, base.configJson),
    ...file,
    ...ggufVocabulary(tokenizer, base.config),
  ]);
}

/** A tensor as the file has it: its rows in order, the 1 of some norms added. */
function toWrite(place: GgufPlace, progress: ExportProgress): GgufTensorToWrite {
  const { gguf: name, type, tensor, offset } = place;
  return {
    name,
    type,
    shape: tensor.shape,
    async *pieces() {
      for await (const rows of inFileOrder(place)) {
        const bytes = encode(name, type, offset === 0 ? rows : rows.map((value) => value + offset));
        progress(bytes.byteLength);
        yield bytes;
      }
    },
  };
}

async function* inFileOrder({ tensor, rowOrder }: GgufPlace): AsyncGenerator<Float32Array> {
  if (rowOrder === undefined) yield* tensor.rows();
  else yield orderRows(await allRows(tensor), tensor.shape, rowOrder);
}

/** Rows in the order of a file. */
export function orderRows(
  values: Float32Array,
  shape: readonly number[],
  rowOrder: RowOrder,
): Float32Array {
  const width = rowWidth(shape);
  const ordered = new Float32Array(values.length);
  for (let row = 0; row * width < values.length; row++) {
    const from = rowOrder(row) * width;
    ordered.set(values.subarray(from, from + width), row * width);
  }
  return ordered;
}

/** Values in a type of GGML. */
export function encode(
  name: string,
  type: GgufTensorToWrite['type'],
  values: Float32Array,
): Uint8Array {
  switch (type) {
    case 'Q8_0':
      return quantizeQ8_0(values);
    case 'F32':
    case 'F16':
    case 'BF16':
      return rounded(name, type, values);
    default:
      throw new LorafaError(
        'internal.unexpected',
        `Tensor "${name}" cannot be written as ${type}.`,
      );
  }
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
  places: readonly GgufPlace[],
  progress: ExportProgress,
): Promise<readonly string[]> {
  const gguf = await openGguf(file);
  const config = parseDecoderConfig(await ggufConfig(gguf), file);
  const read = unpackGguf(gguf, config).map(madeTensor);
  const byName = new Map(places.map((place) => [place.name, place]));
  const meant = places.map(({ tensor, type }) =>
    type === 'Q8_0' ? tensor : { ...tensor, dtype: type as NarrowDtype },
  );
  await checkTensors(file, meant, read, progress, (name) => toleranceOf(byName.get(name)!));
  checkTokenizer(file, source, { tokenizer: ggufTokenizer(gguf), config });
  return ggufDifferences(source.base.config, config);
}

function toleranceOf({ type, offset }: GgufPlace): Tolerance | undefined {
  if (type === 'Q8_0') return q8Tolerance;
  // The 1 that was added is taken away again, each time rounded to float32.
  return offset === 0 ? undefined : (meant) => (index) => 2 ** -22 * (1 + Math.abs(meant[index]!));
}

/**
 * Half a step of the block's scale, that scale and what comes of it rounded to float16; scales below
 * 6e-5 are less exact.
 */
const q8Tolerance: Tolerance = (meant) => (index) => {
  const start = index - (index % 32);
  let largest = 0;
  for (let i = start; i < start + 32; i++) largest = Math.max(largest, Math.abs(meant[i]!));
  return largest * (0.5 / 127 + 2 ** -10) + 2 ** -17;
};

/** `1.2B`: parameters in two digits at least, as llama.cpp's converter rounds them. */
export function sizeLabel(parameters: number): string {
  const [divisor, suffix] =
    parameters > 1e12
      ? [1e12, 'T']
      : parameters > 1e9
        ? [1e9, 'B']
        : parameters > 1e6
          ? [1e6, 'M']
          : [1e3, 'K'];
  const scaled = parameters / divisor;
  const whole = Math.round(scaled);
  const digits = whole === 0 ? 0 : String(whole).length;
  return `${scaled.toFixed(Math.max(2 - digits, 0))}${suffix}`;
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
