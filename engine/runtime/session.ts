import { setImmediate as othersTurn } from 'node:timers/promises';
import { LorafaError } from '../errors.ts';
import { sizeOf, staticSize } from '../graph/dim.ts';
import { type Graph, graphInputs } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { writeOnnx } from '../onnx/writer.ts';
import { type Bfloat16Runtime, bfloat16Runtime, usesBfloat16 } from './bfloat16.ts';
import type { Pointer } from './c-api.ts';
import { type CTexts, cTexts } from './c-texts.ts';
import { CPU, type Device, formatDevice } from './device.ts';
import { HostValues } from './host-values.ts';
import { check, create, environment, ort } from './onnx-runtime.ts';
import { type SessionSetup, sessionOptions } from './session-options.ts';
import { SharedWeights } from './shared-weights.ts';
import { type HostDType, isHostDType, newArray, type Tensor, type TypedArray } from './tensor.ts';

export interface SessionOptions extends Omit<SessionSetup, 'device' | 'threads'> {
  readonly device?: Device;
  /** Threads inside an op; 0 lets ONNX Runtime decide (one per physical core). */
  readonly threads?: number;
}

/** What a run is fed: a bare array where the graph knows the whole shape. */
export type Feeds = Readonly<Record<string, TypedArray | Tensor>>;

/** A graph that is loaded into ONNX Runtime. */
export class Session {
  readonly #graph: Graph;
  readonly #inputs: readonly Value<'input'>[];
  readonly #outputs: readonly Output[];
  readonly #inputNames: CTexts;
  readonly #outputNames: CTexts;
  readonly #weights: SharedWeights;
  readonly #threads: number;
  readonly #bfloat16: Bfloat16Runtime | undefined;
  #session: Pointer | undefined;

  private constructor(graph: Graph, native: NativeSession) {
    this.#graph = graph;
    this.#session = native.session;
    this.#weights = native.weights;
    this.#threads = native.threads;
    this.#bfloat16 = native.bfloat16;
    this.#inputs = graphInputs(graph);
    this.#outputs = outputsOf(graph);
    this.#inputNames = cTexts(this.#inputs.map(({ name }) => name));
    this.#outputNames = cTexts(this.#outputs.map(({ value }) => value.name));
  }

  /**
   * Loads a graph.
   *
   * @throws LorafaError `device.failed` with ONNX Runtime's own words; `device.unavailable` for products
   * that this machine has nothing for; `model.not_found` or
   * `model.corrupt` where the files of its weights are not what they were
   */
  static async create(graph: Graph, options: SessionOptions = {}): Promise<Session> {
    const weights = SharedWeights.of(graph, options.weightsFolder);
    return Session.#load(graph, writeOnnx(graph), weights, options);
  }

  /**
   * Loads a file that was written from a graph, as other programs do: ONNX Runtime itself reads the weights
   * where the file says that they lie.
   *
   * @throws LorafaError `device.failed` with ONNX Runtime's own words
   */
  static async ofFile(
    graph: Graph,
    model: Uint8Array,
    options: SessionOptions = {},
  ): Promise<Session> {
    return Session.#load(graph, model, SharedWeights.none(), options);
  }

  static async #load(
    graph: Graph,
    model: Uint8Array,
    weights: SharedWeights,
    options: SessionOptions,
  ): Promise<Session> {
    const { device = CPU, threads = 0 } = options;
    const what = `ONNX Runtime could not start on ${formatDevice(device)}`;
    let native: Pointer | undefined;
    try {
      const bfloat16 = usesBfloat16(graph) ? bfloat16Runtime() : undefined;
      const settings = sessionOptions({ ...options, device, threads }, what);
      native = settings;
      weights.addTo(settings);
      if (bfloat16 !== undefined) {
        bfloat16.useThreads(threads);
        check(ort.AddCustomOpDomain(settings, bfloat16.domain), what);
      }
      const session = create(
        (out) => ort.CreateSessionFromArray(environment, model, model.byteLength, settings, out),
        what,
      );
      return new Session(graph, { session, weights, threads, bfloat16 });
    } catch (error) {
      weights.release();
      throw error;
    } finally {
      if (native !== undefined) ort.ReleaseSessionOptions(native);
    }
  }

  /**
   * Computes the graph's outputs. Blocks the thread's event loop while it computes.
   *
   * @param results arrays to fill, by output name; an input's own array is written over when all that
   * reads it has been computed
   * @throws LorafaError `device.failed`
   */
  async run(
    feeds: Feeds,
    results: Readonly<Record<string, TypedArray>> = {},
  ): Promise<Record<string, Tensor>> {
    await othersTurn();
    if (this.#session === undefined) {
      throw new LorafaError('internal.graph', 'a session was run after its release');
    }
    const values = new HostValues();
    try {
      const given = this.#inputs.map((input) => fed(input, feeds[input.name]));
      const sizes = sizesIn(this.#inputs, given);
      const wanted = this.#outputs.map((output) => roomFor(output, sizes, results));
      const inputs = this.#inputs.map(({ dtype }, index) =>
        values.over(dtype as HostDType, given[index]!),
      );
      const outputs = this.#outputs.map(({ value }, index) =>
        values.over(value.dtype as HostDType, wanted[index]!),
      );
      this.#bfloat16?.useThreads(this.#threads);
      check(
        ort.Run(
          this.#session,
          null,
          this.#inputNames.addresses,
          BigUint64Array.from(inputs),
          inputs.length,
          this.#outputNames.addresses,
          outputs.length,
          BigUint64Array.from(outputs),
        ),
      );
      values.finish();
      const computed = this.#outputs.flatMap(({ names }, index) =>
        names.map((name) => [name, wanted[index]!] as const),
      );
      const passed = [...this.#graph.outputs].flatMap(([name, { op, name: input }]) => {
        const index = this.#inputs.findIndex((value) => op === 'input' && value.name === input);
        return index < 0 ? [] : [[name, given[index]!] as const];
      });
      return Object.fromEntries([...computed, ...passed]);
    } finally {
      values.release();
    }
  }

  /** Frees the session's memory (on a GPU only the end of the process frees all of it). */
  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) ort.ReleaseSession(session);
    // What it points at goes after it.
    this.#weights.release();
  }
}

/** What a session is made of outside of JavaScript. */
interface NativeSession {
  readonly session: Pointer;
  readonly weights: SharedWeights;
  readonly threads: number;
  /** What its products of bfloat16 numbers are computed by, where it has any. */
  readonly bfloat16: Bfloat16Runtime | undefined;
}

/** What is computed, once, and the names by which it goes. */
interface Output {
  readonly value: Value;
  readonly names: readonly string[];
}

/** An input that is an output as well is nothing to compute. */
function outputsOf(graph: Graph): readonly Output[] {
  const outputs = new Map<string, { value: Value; names: string[] }>();
  for (const [name, value] of graph.outputs) {
    if (value.op === 'input') continue;
    const known = outputs.get(value.name);
    if (known === undefined) outputs.set(value.name, { value, names: [name] });
    else known.names.push(name);
  }
  return [...outputs.values()];
}

/** Where an output goes. */
function roomFor(
  { value, names }: Output,
  sizes: ReadonlyMap<string, number>,
  results: Readonly<Record<string, TypedArray>>,
): Tensor {
  requireHostDType(value);
  const shape = value.shape.map((dim) => {
    const size = sizeOf(dim, sizes);
    if (size !== undefined) return size;
    throw new LorafaError('internal.graph', `no input tells the size ${dim} of ${value.name}`);
  });
  const target = names.map((name) => results[name]).find((array) => array !== undefined);
  if (target !== undefined) return fed(value, { data: target, shape });
  return { data: newArray(value.dtype as HostDType, staticSize(shape)!), shape };
}

/** What the sizes are that the graph knows by name, as the arrays that are fed have them. */
function sizesIn(inputs: readonly Value[], given: readonly Tensor[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  inputs.forEach(({ shape }, index) => {
    shape.forEach((dim, axis) => {
      if (typeof dim === 'string') sizes.set(dim, given[index]!.shape[axis]!);
    });
  });
  return sizes;
}

function requireHostDType({ name, dtype }: Value): void {
  if (isHostDType(dtype)) return;
  throw new LorafaError('internal.graph', `${name} is ${dtype}, not for JavaScript`);
}

/** An array in the shape of a value. */
function fed(value: Value, feed: TypedArray | Tensor | undefined): Tensor {
  if (feed === undefined) {
    throw new LorafaError('internal.graph', `the input ${value.name} was not fed`);
  }
  requireHostDType(value);
  const { data, shape } = 'shape' in feed ? feed : { data: feed, shape: value.shape };
  const dims = shape.map(Number);
  if (data.length !== staticSize(dims)) {
    throw new LorafaError(
      'internal.graph',
      `${value.name} was given ${data.length} elements for the shape [${shape.join(', ')}]`,
    );
  }
  return { data, shape: dims };
}
