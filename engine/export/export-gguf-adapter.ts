import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { float32, type GgufValue, uint32 } from '../architectures/gguf-conventions.ts';
import { openGguf } from '../gguf/gguf.ts';
import { knownTensors, type RowOrder, type RowRange } from '../gguf/gguf-weights.ts';
import { ggmlBytes, writeGguf } from '../gguf/write-gguf.ts';
import { adapterTensors } from '../lora/adapter.ts';
import type { LoadedAdapter } from '../lora/load-adapter.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import { checkTensors } from './check-export.ts';
import type { ExportDtype, ExportOptions, PlannedExport } from './export-format.ts';
import { type ExportSource, openExportSource, requireAdapter } from './export-source.ts';
import { generalEntries, QUANTIZATION_VERSION } from './gguf-general.ts';
import {
  encode,
  FILE_TYPES,
  ggufTensor,
  meantAs,
  orderRows,
  q8Tolerance,
  typeOf,
} from './gguf-values.ts';
import { llamaCppAdapterNotes } from './llama-cpp-notes.ts';
import { type ModelTensor, madeTensor, valuesIn } from './model-tensor.ts';

/**
 * The adapter alone in one file, as llama.cpp's `convert_lora_to_gguf.py` writes it.
 *
 * @throws LorafaError `adapter.not_found` for a model that was trained whole, `model.unsupported`
 */
export async function planGgufAdapter(
  folder: string,
  options: ExportOptions,
): Promise<PlannedExport> {
  return planGgufAdapterOf(await openExportSource(folder, options), options);
}

/** The same of a source that is open. */
export async function planGgufAdapterOf(
  source: ExportSource,
  { dtype = 'f32' }: ExportOptions,
): Promise<PlannedExport> {
  const { base } = source;
  const adapter = requireAdapter(source, 'gguf-adapter');
  const metadata = new Map(metadataOf(source, adapter));
  const tensors = tensorsOf(base.config, adapter);
  const places = tensors.map((tensor) => ({
    tensor,
    type: typeOf(tensor.shape, FILE_TYPES[dtype].type),
  }));
  const bytesIn = (other: ExportDtype): number =>
    tensors.reduce(
      (sum, { shape }) => sum + ggmlBytes(typeOf(shape, FILE_TYPES[other].type), shape),
      0,
    );
  return {
    bytes: bytesIn(dtype),
    bytesIn,
    tensors: places.length,
    values: valuesIn(tensors),
    modules: adapter.modules.length,
    // The adapter is in memory.
    sources: [],
    dtype,
    write: (file, progress) =>
      writeGguf(
        file,
        metadata,
        places.map(({ tensor: { name, shape, rows }, type }) => ({
          name,
          shape,
          type,
          async *pieces() {
            for await (const values of rows()) {
              const bytes = encode(name, type, values);
              progress(bytes.byteLength);
              yield bytes;
            }
          },
        })),
      ),
    check: async (file, progress) => {
      const read = [...(await openGguf(file)).tensors.values()].map(ggufTensor);
      const types = new Map(places.map(({ tensor, type }) => [tensor.name, type]));
      const meant = places.map(({ tensor, type }) => meantAs(tensor, type));
      await checkTensors(file, meant, read, progress, (name) =>
        types.get(name) === 'Q8_0' ? q8Tolerance : undefined,
      );
      return llamaCppAdapterNotes(base.config, adapter);
    },
  };
}

/** The adapters of a tensor of the file: of a layer, or of the experts whose weights are stacked there. */
interface Place {
  readonly gguf: string;
  /** 1 for what is not stacked. */
  readonly size: number;
  readonly members: readonly {
    readonly module: LoraModule;
    readonly at: number;
    readonly rowOrder?: RowOrder | undefined;
    readonly rows?: RowRange | undefined;
  }[];
}

/** A and B of every adapted layer, in the order of the layers; those of experts stacked, as their weights are. */
function tensorsOf(config: DecoderConfig, adapter: LoadedAdapter): readonly ModelTensor[] {
  const modules = new Map(adapter.modules.map((module) => [`${module.name}.weight`, module]));
  const places = [...knownTensors(config)].map(([gguf, all]): Place => {
    const members = all.flatMap(({ name, rowOrder, rows }, at) => {
      const module = modules.get(name);
      return module === undefined ? [] : [{ module, at, rowOrder, rows }];
    });
    return { gguf, size: all.length, members };
  });
  return places
    .filter(({ members }) => members.length > 0)
    .flatMap((place) => matricesOf(place, adapter));
}

/** Experts without an adapter, and ranks below the largest one of a stack, are filled up with zeros. */
function matricesOf(
  { gguf, size, members }: Place,
  adapter: LoadedAdapter,
): readonly ModelTensor[] {
  const [{ module: first, rows: ofFirst }] = members as [Place['members'][number]];
  const { inFeatures } = first;
  const outFeatures = ofFirst?.count ?? first.outFeatures;
  const rank = Math.max(...members.map(({ module }) => module.r));
  const all = {
    a: new Float32Array(size * rank * inFeatures),
    b: new Float32Array(size * outFeatures * rank),
  };
  for (const { module, at, rowOrder, rows } of members) {
    const [a, b] = adapterTensors(module);
    // llama.cpp scales every layer by alpha / rank; what rsLoRA and patterns make of it goes into B.
    const factor = module.scaling / (writtenAlpha(adapter) / rank);
    const values = adapter.weights.get(b.name)!;
    const scaled = factor === 1 ? values : values.map((value) => value * factor);
    const ordered = rowOrder === undefined ? scaled : orderRows(scaled, b.shape, rowOrder);
    all.a.set(adapter.weights.get(a.name)!, at * rank * inFeatures);
    const start = rows?.start ?? 0;
    for (let row = 0; row < outFeatures; row++) {
      const from = ordered.subarray((start + row) * module.r, (start + row + 1) * module.r);
      all.b.set(from, (at * outFeatures + row) * rank);
    }
  }
  const stack = size === 1 ? [] : [size];
  const made = (name: string, shape: readonly number[], data: Float32Array): ModelTensor =>
    madeTensor({ name, shape: [...stack, ...shape], dtype: 'F32', data });
  return [
    made(`${gguf}.lora_a`, [rank, inFeatures], all.a),
    made(`${gguf}.lora_b`, [outFeatures, rank], all.b),
  ];
}

/** llama.cpp takes an alpha of 0 for none. */
function writtenAlpha({ config: { lora_alpha: alpha } }: LoadedAdapter): number {
  return alpha === 0 ? 1 : alpha;
}

function metadataOf({ base, name }: ExportSource, adapter: LoadedAdapter): [string, GgufValue][] {
  const parameters = adapter.modules.reduce(
    (sum, { inFeatures, outFeatures }) => sum + inFeatures * outFeatures,
    0,
  );
  return [
    ...generalEntries(base.config, { type: 'adapter', name, parameters }),
    ['general.base_model.count', uint32(1)],
    ['general.base_model.0.name', base.name],
    ['adapter.type', 'lora'],
    ['adapter.lora.alpha', float32(writtenAlpha(adapter))],
    QUANTIZATION_VERSION,
  ];
}
