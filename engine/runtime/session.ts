import { setImmediate as othersTurn } from 'node:timers/promises';
import { LorafaError, wordsOf } from '../errors.ts';
import { type Graph, graphInputs } from '../graph/graph.ts';
import type { OpName } from '../graph/op.ts';
import { withWebgpuOps } from '../graph/passes/webgpu-ops.ts';
import type { Value } from '../graph/value.ts';
import { writeOnnx } from '../onnx/writer.ts';
import { type Bfloat16Runtime, bfloat16Runtime, usesBfloat16 } from './bfloat16.ts';
import type { Pointer } from './c-api.ts';
import { type CTexts, cTexts } from './c-texts.ts';
import { isCaptureRefusal } from './capture-refusal.ts';
import { CapturedRuns } from './captured-runs.ts';
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
import { requireBuffers } from './largest-buffer.ts';
import { memoryOf } from './memory-of.ts';
import { threadsSpin } from './onednn-threads.ts';
import { check, create, environment, ort } from './onnx-runtime.ts';
import { opsOnCpu } from './placement.ts';
import { type SessionSetup, sessionOptions } from './session-options.ts';
import { SharedWeights } from './shared-weights.ts';
import type { HostDType, Tensor } from './tensor.ts';
import type { TensorMemory } from './tensor-memory.ts';
import { uncapturable } from './uncapturable.ts';
import { requireKernels } from './webgpu-kernels.ts';

export interface SessionOptions
  extends Omit<SessionSetup, 'device' | 'threads' | 'threadsSleep' | 'ownArena'> {
  readonly device?: Device;
  /** Threads inside an op; 0 lets ONNX Runtime decide (one per physical core). */
  readonly threads?: number;
  /** Told while weights are brought to a device with memory of its own. */
  readonly onUpload?: OnUpload | undefined;
  /** Told why runs that were to be captured are computed plainly: the end of a sentence. */
  readonly onUncaptured?: ((why: string) => void) | undefined;
  /** With WebGPU: told in a sentence which nodes of a graph the CPU computes, where there are any. */
  readonly onComputedByCpu?: ((what: string) => void) | undefined;
}

/** A graph that is loaded into ONNX Runtime. */
export class Session {
  readonly #graph: Graph;
  readonly #options: SessionOptions;
  readonly #device: Device;
  readonly #inputs: readonly Value<'input'>[];
  readonly #outputs: readonly Output[];
  readonly #inputNames: CTexts;
  readonly #outputNames: CTexts;
  readonly #weights: Weights;
  readonly #bfloat16: Bfloat16Runtime | undefined;
  #session: Pointer | undefined;
  /** Present where runs can be captured. */
  #captured: CapturedRuns | undefined;

  private constructor(graph: Graph, options: SessionOptions, native: NativeSession) {
    this.#graph = graph;
    this.#options = options;
    this.#device = options.device ?? CPU;
    this.#session = native.session;
    this.#captured = native.captured;
    this.#weights = native.weights;
    this.#bfloat16 = native.bfloat16;
    this.#inputs = graphInputs(graph);
    this.#outputs = outputsOf(graph);
    this.#inputNames = cTexts(this.#inputs.map(({ name }) => name));
    this.#outputNames = cTexts(this.#outputs.map(({ value }) => value.name));
  }

  /**
   * Loads a graph.
   *
   * @param options.captures is for CUDA devices, and taken for false elsewhere; graphs that are {@link uncapturable} are computed plainly
   * @throws LorafaError `device.failed` with ONNX Runtime's own words; `device.unavailable` for products
   * that this machine has nothing for, and what {@link requireKernels} and {@link requireBuffers} refuse; `model.not_found` or
   * `model.corrupt` where the files of its weights are not what they were
   */
  static async create(graph: Graph, options: SessionOptions = {}): Promise<Session> {
    const { device = CPU, threads = 0 } = options;
    const computed = device.kind === 'webgpu' ? withWebgpuOps(graph) : graph;
    requireKernels(computed, device);
    requireBuffers(computed, device);
    const model = writeOnnx(computed);
    if (usesBfloat16(computed)) await bfloat16Runtime().startThreads(computed, threads);
    const weights = await weightsFor(computed, options, memoryOf(device));
    const problem = uncapturable(computed);
    const isWanted = options.captures === true && device.kind === 'cuda';
    if (isWanted && problem !== undefined) options.onUncaptured?.(problem);
    const has = (op: OpName): boolean => computed.values.some((value) => value.op === op);
    return Session.#load(computed, model, weights, {
      ...options,
      captures: isWanted && problem === undefined,
      prepacks: has('matmulNBits'),
      hasLargeIntegers: has('mod'),
    });
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

  static #load(
    graph: Graph,
    model: Uint8Array,
    weights: Weights,
    options: SessionOptions,
  ): Session {
    try {
      const bfloat16 = usesBfloat16(graph) ? bfloat16Runtime() : undefined;
      const native = (setup: SessionOptions): NativeSession => ({
        session: newSession(model, weights, setup, bfloat16),
        ...{ weights, bfloat16 },
      });
      if (!options.captures) {
        const computing = native(options);
        if (options.device?.kind === 'webgpu') tellPlacement(computing.session, options);
        return new Session(graph, options, computing);
      }
      const captured = new CapturedRuns(CudaMemory.of(options.device!));
      try {
        return new Session(graph, options, { ...native(options), captured });
      } catch (error) {
        captured.release();
        if (!isCaptureRefusal(error)) throw error;
        options.onUncaptured?.(refused(error));
        return new Session(graph, options, native({ ...options, captures: false }));
      }
    } catch (error) {
      weights.release();
      throw error;
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
    return this.#run(feeds, results, (captured, tensors) => captured.optionsFor(tensors));
  }

  /**
   * Captures a run as a CUDA graph, where the session has `captures`: runs over the same tensors are replays of
   * it from then on, each one launch. What is captured is computed twice, so that a run that writes over its
   * inputs has to be captured with numbers that change nothing. Where ONNX Runtime or CUDA refuses to capture, this
   * and all other runs are computed plainly.
   *
   * @throws LorafaError as {@link run}, for anything else that goes wrong meanwhile
   */
  async capture(feeds: Feeds, results: Results = {}): Promise<void> {
    if (this.#captured === undefined) return;
    try {
      await this.#run(feeds, results, (captured, tensors) => captured.optionsToCapture(tensors));
    } catch (error) {
      if (!isCaptureRefusal(error)) throw error;
      this.#captureNoMore(error);
    }
  }

  async #run(
    feeds: Feeds,
    results: Results,
    optionsFor: (captured: CapturedRuns, tensors: readonly Pointer[]) => Pointer,
  ): Promise<Record<string, Tensor>> {
    await othersTurn();
    const [session, captured] = [this.#session, this.#captured];
    if (session === undefined) {
      throw new LorafaError('internal.graph', 'a session was run after its release');
    }
    const values = new HostValues();
    try {
      const given = this.#inputs.map((input) => fed(input, feeds[input.name], this.#device));
      const sizes = sizesIn(this.#inputs, given);
      const wanted = this.#outputs.map((output) => roomFor(output, sizes, results, this.#device));
      const onHost = ({ dtype }: Value, tensor: Tensor) => values.over(dtype as HostDType, tensor);
      const inputs = this.#inputs.map((value, index) => {
        const tensor = given[index]!;
        if (tensor instanceof DeviceTensor) return tensor.value;
        return captured?.copies.upload(value, tensor) ?? onHost(value, tensor);
      });
      const outputs = this.#outputs.map(({ value }, index) => {
        const tensor = wanted[index]!;
        if (tensor instanceof DeviceTensor) return tensor.valueToFill;
        return captured?.copies.roomFor(value, tensor) ?? onHost(value, tensor);
      });
      this.#bfloat16?.useThreads(this.#options.threads ?? 0);
      check(
        ort.Run(
          session,
          captured === undefined ? null : optionsFor(captured, [...inputs, ...outputs]),
          this.#inputNames.addresses,
          BigUint64Array.from(inputs),
          inputs.length,
          this.#outputNames.addresses,
          outputs.length,
          BigUint64Array.from(outputs),
        ),
        undefined,
        this.#device,
      );
      values.finish();
      this.#outputs.forEach(({ value }, index) => {
        const tensor = wanted[index]!;
        if (tensor instanceof DeviceTensor) tensor.filled();
        else captured?.copies.download(value, outputs[index]!, tensor);
      });
      return this.#named(given, wanted);
    } finally {
      values.release();
    }
  }

  /** What of a run is on the host, by the names of the outputs. */
  #named(
    given: readonly (Tensor | DeviceTensor)[],
    wanted: readonly (Tensor | DeviceTensor)[],
  ): Record<string, Tensor> {
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
  }

  /** A session whose capture failed is of no use: its stream waits for the end of it. */
  #captureNoMore(error: unknown): void {
    if (this.#session !== undefined) ort.ReleaseSession(this.#session);
    this.#session = undefined;
    this.#captured?.release();
    this.#captured = undefined;
    const setup = { ...this.#options, captures: false };
    this.#session = newSession(writeOnnx(this.#graph), this.#weights, setup, this.#bfloat16);
    this.#options.onUncaptured?.(refused(error));
  }

  /** Frees the session's memory (on a GPU only the end of the process frees all of it). */
  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) ort.ReleaseSession(session);
    this.#captured?.release();
    this.#captured = undefined;
    // What it points at goes after it.
    this.#weights.release();
  }
}

/** Releases sessions that may be in the making still; of one that cannot be made whoever asked for it hears. */
export async function releaseMade(sessions: readonly Promise<Session>[]): Promise<void> {
  for (const made of await Promise.allSettled(sessions)) {
    if (made.status === 'fulfilled') await made.value.release();
  }
}

/** The weights of a session, where it computes with them. */
type Weights = SharedWeights | DeviceWeights;

/** What a session is made of outside of JavaScript. */
interface NativeSession {
  readonly session: Pointer;
  readonly weights: Weights;
  /** What its products of bfloat16 numbers are computed by, where it has any. */
  readonly bfloat16: Bfloat16Runtime | undefined;
  readonly captured?: CapturedRuns;
}

function newSession(
  model: Uint8Array,
  weights: Weights,
  options: SessionOptions,
  bfloat16: Bfloat16Runtime | undefined,
): Pointer {
  const { device = CPU, threads = 0 } = options;
  const what = `ONNX Runtime could not start on ${formatDevice(device)}`;
  if (device.kind === 'cuda') CudaMemory.of(device).openArena();
  const hasOnednn = bfloat16 !== undefined;
  const onAsking = hasOnednn && threadsSpin();
  const setup = {
    ...options,
    device,
    threads: onAsking ? 1 : threads,
    threadsSleep: hasOnednn,
  };
  const settings = sessionOptions(setup, what);
  try {
    weights.addTo(settings);
    if (bfloat16 !== undefined) {
      bfloat16.useThreads(threads);
      check(ort.AddCustomOpDomain(settings, bfloat16.domain), what);
    }
    return create(
      (out) => ort.CreateSessionFromArray(environment, model, model.byteLength, settings, out),
      what,
      device,
    );
  } finally {
    ort.ReleaseSessionOptions(settings);
  }
}

function tellPlacement(session: Pointer, { onComputedByCpu }: SessionOptions): void {
  const ops = opsOnCpu(session);
  if (ops.length === 0) return;
  const names = [...new Set(ops)].sort().join(', ');
  onComputedByCpu?.(
    `WebGPU has no kernels for ${ops.length} nodes of a graph (${names}), which the CPU computes, with copies there and back.`,
  );
}

function refused(error: unknown): string {
  return `ONNX Runtime refused it (${wordsOf(error)})`;
}

async function weightsFor(
  graph: Graph,
  { weightsFolder, onUpload }: SessionOptions,
  memory: TensorMemory | undefined,
): Promise<Weights> {
  const shared = SharedWeights.of(graph, weightsFolder);
  if (memory === undefined) return shared;
  try {
    return await DeviceWeights.on(memory, shared.mapped, onUpload);
  } finally {
    shared.release();
  }
}
