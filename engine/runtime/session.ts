import { setImmediate as othersTurn } from 'node:timers/promises';
import { LorafaError } from '../errors.ts';
import { type Graph, graphInputs } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import { writeOnnx } from '../onnx/writer.ts';
import { type Bfloat16Runtime, bfloat16Runtime, usesAttention, usesBfloat16 } from './bfloat16.ts';
import type { Pointer } from './c-api.ts';
import { type CTexts, cTexts } from './c-texts.ts';
import { CudaMemory } from './cuda-memory.ts';
import { CPU, type Device, formatDevice } from './device.ts';
import { DeviceTensor } from './device-tensor.ts';
import { DeviceWeights, type OnUpload } from './device-weights.ts';
import {
  type Feeds,
  fed,
  type Output,
  outputsOf,
  type Results,
  roomFor,
  sizesIn,
} from './feeds.ts';
import { HostValues } from './host-values.ts';
import { threadsSpin } from './onednn-threads.ts';
import { check, create, environment, ort } from './onnx-runtime.ts';
import { type SessionSetup, sessionOptions } from './session-options.ts';
import { SharedWeights } from './shared-weights.ts';
import type { HostDType, Tensor } from './tensor.ts';

export interface SessionOptions
  extends Omit<SessionSetup, 'device' | 'threads' | 'hasOwnArena' | 'prepacks'> {
  readonly device?: Device;
  /** Threads inside an op; 0 lets ONNX Runtime decide (one per physical core). */
  readonly threads?: number;
  /** Told while weights are brought to a device with memory of its own. */
  readonly onUpload?: OnUpload | undefined;
}

/** A graph that is loaded into ONNX Runtime. */
export class Session {
  readonly #graph: Graph;
  readonly #inputs: readonly Value<'input'>[];
  readonly #outputs: readonly Output[];
  readonly #inputNames: CTexts;
  readonly #outputNames: CTexts;
  readonly #weights: Pick<SharedWeights, 'release'>;
  readonly #device: Device;
  readonly #threads: number;
  readonly #bfloat16: Bfloat16Runtime | undefined;
  #session: Pointer | undefined;

  private constructor(graph: Graph, native: NativeSession) {
    this.#graph = graph;
    this.#session = native.session;
    this.#weights = native.weights;
    this.#device = native.device;
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
    const { device = CPU } = options;
    const memory = device.kind === 'cuda' ? CudaMemory.of(device) : undefined;
    const weights = await weightsFor(graph, options, memory);
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
    weights: SharedWeights | DeviceWeights,
    options: SessionOptions,
  ): Promise<Session> {
    const { device = CPU, threads = 0 } = options;
    const what = `ONNX Runtime could not start on ${formatDevice(device)}`;
    let native: Pointer | undefined;
    try {
      const bfloat16 = usesBfloat16(graph) ? bfloat16Runtime() : undefined;
      if (usesAttention(graph)) await bfloat16?.startThreads(threads);
      const onAsking = bfloat16 !== undefined && threadsSpin();
      const setup = {
        ...options,
        device,
        threads: onAsking ? 1 : threads,
        prepacks: graph.values.some(({ op }) => op === 'matmulNBits'),
      };
      const settings = sessionOptions(setup, what);
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
      return new Session(graph, { session, weights, threads, bfloat16, device });
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
   * @param results arrays and tensors to fill, by output name; an input's own is written over when all
   * that reads it has been computed
   * @returns what is on the host; outputs that went into tensors of a device are not among them
   * @throws LorafaError `device.failed`; `internal.graph` for tensors that do not fit the graph, are of
   * another device or were released
   */
  async run(feeds: Feeds, results: Results = {}): Promise<Record<string, Tensor>> {
    await othersTurn();
    if (this.#session === undefined) {
      throw new LorafaError('internal.graph', 'a session was run after its release');
    }
    const values = new HostValues();
    try {
      const given = this.#inputs.map((input) => fed(input, feeds[input.name], this.#device));
      const sizes = sizesIn(this.#inputs, given);
      const wanted = this.#outputs.map((output) => roomFor(output, sizes, results, this.#device));
      const pointerTo = ({ dtype }: Value, tensor: Tensor | DeviceTensor): Pointer =>
        tensor instanceof DeviceTensor ? tensor.value : values.over(dtype as HostDType, tensor);
      const inputs = this.#inputs.map((value, index) => pointerTo(value, given[index]!));
      const outputs = this.#outputs.map(({ value }, index) => pointerTo(value, wanted[index]!));
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
      const onHost = [...computed, ...passed].filter(
        (result): result is [string, Tensor] => !(result[1] instanceof DeviceTensor),
      );
      return Object.fromEntries(onHost);
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
  readonly weights: Pick<SharedWeights, 'release'>;
  readonly threads: number;
  readonly device: Device;
  /** What its products of bfloat16 numbers are computed by, where it has any. */
  readonly bfloat16: Bfloat16Runtime | undefined;
}

/** The weights of a session, where it computes with them. */
async function weightsFor(
  graph: Graph,
  { weightsFolder, onUpload }: SessionOptions,
  memory: CudaMemory | undefined,
): Promise<SharedWeights | DeviceWeights> {
  const shared = SharedWeights.of(graph, weightsFolder);
  if (memory === undefined) return shared;
  try {
    return await DeviceWeights.on(memory, shared.mapped, onUpload);
  } finally {
    shared.release();
  }
}
