import type { InferenceSession, OnnxValue, Tensor as OrtTensor } from 'onnxruntime-node';
import { LorafaError, messageOf } from '../errors.ts';
import { staticSize } from '../graph/dim.ts';
import { type Graph, graphInputs } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { writeOnnx } from '../onnx/writer.ts';
import { CPU, type Device, formatDevice } from './device.ts';
import { ort } from './onnx-runtime.ts';
import { meaningOf } from './runtime-words.ts';
import { isHostDType, type Tensor, type TypedArray } from './tensor.ts';

/** The version of ONNX Runtime that runs. */
export const onnxRuntimeVersion: string = ort.env.versions.node ?? ort.env.versions.common;

export interface SessionOptions {
  readonly device?: Device;
  /** Threads inside an op; 0 lets ONNX Runtime decide (one per physical core). */
  readonly threads?: number;
  /** Real path of the folder that holds the files of the graph's weights. */
  readonly weightsFolder?: string;
}

/** What a run is fed: a bare array where the graph knows the whole shape. */
export type Feeds = Readonly<Record<string, TypedArray | Tensor>>;

/**
 * Session options that were measured on whole training steps (ARCHITECTURE.md). Constant folding
 * would upcast all half-precision weights at load, common subexpression elimination would merge
 * recomputed values with the originals, prepacking would copy each weight once per reader. An
 * arena belongs to one session and never shrinks: with one session for each batch shape, every
 * shape would hold its peak for ever.
 */
const SESSION_CONFIG = {
  graphOptimizationLevel: 'disabled',
  enableMemPattern: false,
  enableCpuMemArena: false,
  executionMode: 'sequential',
  logSeverityLevel: 3,
} as const satisfies InferenceSession.SessionOptions;

/** A graph that is loaded into ONNX Runtime. The only user of `onnx-runtime.ts`. */
export class Session {
  readonly #graph: Graph;
  readonly #session: InferenceSession;
  readonly #inputs: ReadonlyMap<string, Value<'input'>>;

  private constructor(graph: Graph, session: InferenceSession) {
    this.#graph = graph;
    this.#session = session;
    this.#inputs = new Map(graphInputs(graph).map((input) => [input.name, input]));
  }

  /** Loads a graph. Throws `device.failed` with ONNX Runtime's own words. */
  static async create(graph: Graph, options: SessionOptions = {}): Promise<Session> {
    const device = options.device ?? CPU;
    const extra: Record<string, string> = { disable_prepacking: '1' };
    if (options.weightsFolder !== undefined) {
      extra['model_external_initializers_file_folder_path'] = options.weightsFolder;
    }
    try {
      const session = await ort.InferenceSession.create(writeOnnx(graph), {
        ...SESSION_CONFIG,
        executionProviders: executionProviders(device),
        intraOpNumThreads: options.threads ?? 0,
        extra: { session: extra },
      });
      return new Session(graph, session);
    } catch (error) {
      throw failure(`ONNX Runtime could not start on ${formatDevice(device)}`, error);
    }
  }

  /**
   * Computes the graph's outputs. Blocks the thread's event loop while it computes.
   *
   * @param results arrays to fill, by output name, for writing over inputs; it saves no memory, since
   * what is returned is a copy in any case
   * @throws LorafaError `device.failed`
   */
  async run(
    feeds: Feeds,
    results: Readonly<Record<string, TypedArray>> = {},
  ): Promise<Record<string, Tensor>> {
    const ortFeeds = Object.fromEntries(
      [...this.#inputs].map(([name, input]) => [name, toOrt(input, feeds[name])]),
    );
    const fetches: Record<string, OnnxValue | null> = {};
    for (const [name, value] of this.#graph.outputs) {
      const target = results[name];
      fetches[value.name] = target === undefined ? null : toOrt(value, target);
    }
    let fetched: InferenceSession.ReturnType;
    try {
      fetched = await this.#session.run(ortFeeds, fetches);
    } catch (error) {
      throw failure('ONNX Runtime could not go on computing', error);
    }
    const entries = [...this.#graph.outputs].map(([name, value]) => {
      const { data, dims } = fetched[value.name]!;
      return [name, { data: data as TypedArray, shape: dims }] as const;
    });
    return Object.fromEntries(entries);
  }

  /** Frees the session's memory (on a GPU only the end of the process frees all of it). */
  async release(): Promise<void> {
    await this.#session.release();
  }
}

function failure(what: string, error: unknown): LorafaError {
  const words = messageOf(error);
  const meaning = meaningOf(words);
  const why = meaning === undefined ? '' : `, because ${meaning}`;
  const wayOut = 'try smaller batches or shorter rows, or another engine.device';
  return new LorafaError('device.failed', `${what}${why}; ${wayOut}.`, {
    cause: error,
    detail: words,
  });
}

function executionProviders(device: Device): InferenceSession.ExecutionProviderConfig[] {
  switch (device.kind) {
    case 'cpu':
      return ['cpu'];
    case 'cuda':
      return [{ name: 'cuda', deviceId: device.index }, 'cpu'];
    case 'webgpu':
      return ['webgpu', 'cpu'];
  }
}

function toOrt(value: Value, feed: TypedArray | Tensor | undefined): OrtTensor {
  if (feed === undefined) {
    throw new LorafaError('internal.graph', `the input ${value.name} was not fed`);
  }
  if (!isHostDType(value.dtype)) {
    throw new LorafaError('internal.graph', `${value.name} is ${value.dtype}, not for JavaScript`);
  }
  const { data, shape } = 'shape' in feed ? feed : { data: feed, shape: value.shape };
  const dims = shape.map(Number);
  if (data.length !== staticSize(dims)) {
    throw new LorafaError(
      'internal.graph',
      `${value.name} was given ${data.length} elements for the shape [${shape.join(', ')}]`,
    );
  }
  return new ort.Tensor(value.dtype, data as never, dims);
}
