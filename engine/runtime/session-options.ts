import type { Pointer } from './c-api.ts';
import { cTexts } from './c-texts.ts';
import { cudaProvider } from './cuda-provider.ts';
import type { Device } from './device.ts';
import { check, create, LOG_ERRORS, ort } from './onnx-runtime.ts';
import { RECORD_PLACEMENT } from './placement.ts';

/** How a session computes. */
export interface SessionSetup {
  readonly device: Device;
  readonly threads: number;
  /** Has ONNX Runtime's threads sleep where they have nothing to do; they would keep those of oneDNN from the cores. */
  readonly threadsSleep?: boolean;
  /** Real path of the folder that holds the files of the graph's weights. */
  readonly weightsFolder?: string;
  /**
   * On a CUDA device: takes memory for itself, as much as it asks for and no more, instead of from the
   * arena of all sessions (`CudaMemory`), and up to so many bytes where that is given.
   */
  readonly ownArena?: { readonly mostBytes?: number };
  /** Copies weights into the order in which kernels read them, for graphs with products of codes, which are slow without. */
  readonly prepacks?: boolean;
  /**
   * On a CUDA device: runs can be captured as CUDA graphs (`Session.capture`). ONNX Runtime refuses a graph of
   * which a node is computed elsewhere.
   */
  readonly captures?: boolean;
  /** On a CUDA device: tensor cores may round the factors of float32 products to ten bits. */
  readonly tf32?: boolean;
  /**
   * With WebGPU, whose kernels take 32 bits of an int64: leaves integers to the CPU, for graphs that compute with
   * larger ones.
   */
  readonly hasLargeIntegers?: boolean;
}

/** `ORT_DISABLE_ALL`, `ORT_SEQUENTIAL` */
const [NO_OPTIMIZATION, SEQUENTIAL] = [0, 0];

/**
 * What a captured run leaves free in the arena of all sessions it writes to again at each replay, so that
 * nothing may lie there that stays: a session's own constants lie outside.
 */
const IN_SHARED_ARENA = {
  'session.use_env_allocators': '1',
  'session.use_device_allocator_for_initializers': '1',
};

/**
 * Session options that were measured on whole training steps (ARCHITECTURE.md). Constant folding
 * would upcast all half-precision weights at load, common subexpression elimination would merge
 * recomputed values with the originals, prepacking would copy each weight once per reader. An
 * arena belongs to one session and never shrinks: with one session for each batch shape, every
 * shape would hold its peak for ever.
 *
 * @returns to be released by the caller
 */
export function sessionOptions(setup: SessionSetup, what: string): Pointer {
  const options = create((out) => ort.CreateSessionOptions(out), what);
  try {
    const entries = {
      'session.disable_prepacking': setup.prepacks ? '0' : '1',
      ...(setup.threadsSleep && { 'session.intra_op.allow_spinning': '0' }),
      ...(setup.device.kind === 'cuda' && setup.ownArena === undefined && IN_SHARED_ARENA),
      ...(setup.device.kind === 'webgpu' && { [RECORD_PLACEMENT]: '1' }),
      ...(setup.weightsFolder !== undefined && {
        'session.model_external_initializers_file_folder_path': setup.weightsFolder,
      }),
    };
    for (const status of [
      ort.SetSessionGraphOptimizationLevel(options, NO_OPTIMIZATION),
      ort.SetSessionExecutionMode(options, SEQUENTIAL),
      ort.DisableMemPattern(options),
      ort.DisableCpuMemArena(options),
      ort.SetSessionLogSeverityLevel(options, LOG_ERRORS),
      ort.SetIntraOpNumThreads(options, setup.threads),
      ...Object.entries(entries).map(([key, value]) =>
        ort.AddSessionConfigEntry(options, key, value),
      ),
    ]) {
      check(status, what);
    }
    addProvider(options, setup, what);
    return options;
  } catch (error) {
    ort.ReleaseSessionOptions(options);
    throw error;
  }
}

/** What a device does not compute, the CPU does. */
function addProvider(options: Pointer, setup: SessionSetup, what: string): void {
  const { device } = setup;
  if (device.kind === 'cuda') addCuda(options, setup, what);
  if (device.kind === 'webgpu') addWebgpu(options, setup, what);
}

function addWebgpu(options: Pointer, { hasLargeIntegers }: SessionSetup, what: string): void {
  const keys = cTexts(['enableInt64']);
  const values = cTexts([hasLargeIntegers ? '0' : '1']);
  check(
    ort.SessionOptionsAppendExecutionProvider(
      options,
      'WebGPU',
      keys.addresses,
      values.addresses,
      1,
    ),
    what,
  );
}

function addCuda(
  options: Pointer,
  { device, captures, ownArena, tf32 = false }: SessionSetup,
  what: string,
): void {
  cudaProvider(device);
  const cuda = create((out) => ort.CreateCUDAProviderOptions(out), what);
  try {
    const settings = {
      device_id: String(device.index),
      arena_extend_strategy: 'kSameAsRequested',
      ...(ownArena?.mostBytes && { gpu_mem_limit: String(Math.floor(ownArena.mostBytes)) }),
      // On unless it is said otherwise.
      use_tf32: tf32 ? '1' : '0',
      ...(captures && { enable_cuda_graph: '1' }),
    };
    const [keys, values] = [cTexts(Object.keys(settings)), cTexts(Object.values(settings))];
    const count = Object.keys(settings).length;
    check(ort.UpdateCUDAProviderOptions(cuda, keys.addresses, values.addresses, count), what);
    check(ort.SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda), what);
  } finally {
    ort.ReleaseCUDAProviderOptions(cuda);
  }
}
