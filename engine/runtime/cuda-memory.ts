import { GraphBuilder } from '../graph/builder.ts';
import { type DType, ONNX_DATA_TYPE } from '../graph/dtype.ts';
import { writeOnnx } from '../onnx/writer.ts';
import type { Pointer } from './c-api.ts';
import { cTexts } from './c-texts.ts';
import { type Device, formatDevice } from './device.ts';
import { HostValues } from './host-values.ts';
import { cudaProviderLibrary } from './library.ts';
import { check, create, environment, ort } from './onnx-runtime.ts';
import { sessionOptions } from './session-options.ts';
import { tensorAt } from './tensor-at.ts';

/** The name by which allocators of CUDA's memory go. */
const PROVIDER = 'CUDAExecutionProvider';

/** `OrtDeviceAllocator`, `OrtMemTypeDefault` */
const [DEVICE_ALLOCATOR, DEFAULT_MEMORY] = [0, 0];

/**
 * The arena that all sessions compute in: asks the device for twice as much as the last time, up to
 * this many bytes at once. Regions that are exactly as large as what is asked for leave holes that
 * the next batch shape cannot use.
 */
const MAX_GROWTH = 2 ** 28;

/** Elements that are made zero by one copy. */
const ZEROS = 2 ** 16;

/** What arenas take: `kNextPowerOfTwo` */
const DOUBLING = 0;

/** The memories of this process by the number of the device. */
const opened = new Map<number, CudaMemory>();

/** Whether the library that copies between host and device is there; once a process. */
let hasCopies = false;

/**
 * The memory of one CUDA device. What stays in it (weights and state) is taken as it is asked for, byte
 * by byte; what sessions compute with comes from one arena for all of them, so that several batch
 * shapes, evaluations and answers take as much as the largest of them.
 */
export class CudaMemory {
  readonly device: Device;
  readonly #info: Pointer;
  readonly #allocator: Pointer;
  /** Computes nothing, in the arena of all sessions: a run of it is what can make the arena smaller. */
  readonly #shrinking: Pointer;
  /** As many zeros as are copied at once. */
  readonly #zeros: Pointer;
  /** Whose working memory the arena is shaped by. */
  #user: object | undefined;

  private constructor(device: Device) {
    this.device = device;
    const what = `ONNX Runtime could not start on ${formatDevice(device)}`;
    if (!hasCopies) {
      const library = cudaProviderLibrary();
      check(ort.RegisterExecutionProviderLibrary(environment, PROVIDER, library), what);
      hasCopies = true;
    }
    this.#info = create(
      (out) => ort.CreateMemoryInfo('Cuda', DEVICE_ALLOCATOR, device.index, DEFAULT_MEMORY, out),
      what,
    );
    // An allocator of a device comes from a session, and lives as long. A device that is not there is refused
    // here; an arena for it would end the process.
    const owner = idleSession(device, true, what);
    registerArena(this.#info, device, what);
    this.#allocator = create((out) => ort.CreateAllocator(owner, this.#info, out), what);
    this.#shrinking = idleSession(device, false, what);
    this.#zeros = this.#newZeros();
  }

  /**
   * The memory of a device, which is there until the process ends.
   *
   * @throws LorafaError `device.failed`
   */
  static of(device: Device): CudaMemory {
    const memory = opened.get(device.index) ?? new CudaMemory(device);
    opened.set(device.index, memory);
    return memory;
  }

  /**
   * A tensor of unknown numbers, to be released with `ReleaseValue`.
   *
   * @throws LorafaError `device.failed` when there is no room for it
   */
  allocate(dtype: DType, shape: readonly number[]): Pointer {
    const dims = BigInt64Array.from(shape, BigInt);
    const type = ONNX_DATA_TYPE[dtype];
    return create(
      (out) => ort.CreateTensorAsOrtValue(this.#allocator, dims, dims.length, type, out),
      `${formatDevice(this.device)} has no room for a tensor of the shape [${shape.join(', ')}]`,
    );
  }

  /** A tensor over bytes of another one, to be released with `ReleaseValue` while that is there. */
  part(
    whole: Pointer,
    start: number,
    bytes: number,
    dtype: DType,
    shape: readonly number[],
  ): Pointer {
    const address = create((out) => ort.GetTensorMutableData(whole, out));
    return tensorAt(this.#info, address + BigInt(start), bytes, dtype, shape);
  }

  /** Copies a tensor into another one as large; either may be the host's. Waits until it is done. */
  copy(from: Pointer, to: Pointer): void {
    const [source, target] = [BigUint64Array.of(from), BigUint64Array.of(to)];
    const what = `ONNX Runtime could not copy to or from ${formatDevice(this.device)}`;
    check(ort.CopyTensors(environment, source, target, null, 1), what);
  }

  /** Makes the numbers of a float32 tensor zero. */
  clear(tensor: Pointer, length: number): void {
    for (let first = 0; first < length; first += ZEROS) {
      const count = Math.min(ZEROS, length - first);
      const [from, to] = [
        this.part(this.#zeros, 0, 4 * count, 'float32', [count]),
        this.part(tensor, 4 * first, 4 * count, 'float32', [count]),
      ];
      this.copy(from, to);
      ort.ReleaseValue(from);
      ort.ReleaseValue(to);
    }
  }

  /**
   * To be called before a session computes: gives the device back what another one computed with.
   * Pieces of the arena that fit one batch shape are of little use to the next, and all of them
   * together would be more than any of them needs.
   *
   * @param user the session, or whatever else has a working memory of its own
   */
  enter(user: object): void {
    if (this.#user === user) return;
    if (this.#user !== undefined) this.#shrink();
    this.#user = user;
  }

  #newZeros(): Pointer {
    const zeros = this.allocate('float32', [ZEROS]);
    const values = new HostValues();
    const data = new Float32Array(ZEROS);
    this.copy(values.over('float32', { data, shape: [ZEROS] }), zeros);
    values.release();
    return zeros;
  }

  #shrink(): void {
    const options = create((out) => ort.CreateRunOptions(out));
    const one = this.part(this.#zeros, 0, 4, 'float32', [1]);
    try {
      const shrunk = `gpu:${this.device.index}`;
      check(ort.AddRunConfigEntry(options, 'memory.enable_memory_arena_shrinkage', shrunk));
      const [input, output] = [cTexts([IDLE.input.name]), cTexts([IDLE.output.name])];
      const given = BigUint64Array.of(one);
      check(
        ort.Run(this.#shrinking, options, input.addresses, given, 1, output.addresses, 1, given),
      );
    } finally {
      ort.ReleaseValue(one);
      ort.ReleaseRunOptions(options);
    }
  }
}

/** A graph that computes next to nothing. */
const IDLE = idleGraph();

function idleGraph() {
  const builder = new GraphBuilder();
  const input = builder.input('x', 'float32', [1]);
  const output = builder.add(input, input);
  return { input, output, model: writeOnnx(builder.finish({ output })) };
}

/** A session of the idle graph, which stays until the process ends. */
function idleSession(device: Device, hasOwnArena: boolean, what: string): Pointer {
  const { model } = IDLE;
  const options = sessionOptions({ device, threads: 1, hasOwnArena }, what);
  try {
    return create(
      (out) => ort.CreateSessionFromArray(environment, model, model.byteLength, options, out),
      what,
    );
  } finally {
    ort.ReleaseSessionOptions(options);
  }
}

function registerArena(info: Pointer, device: Device, what: string): void {
  const growth = { arena_extend_strategy: DOUBLING, max_power_of_two_extend_bytes: MAX_GROWTH };
  const names = cTexts(Object.keys(growth));
  const values = BigUint64Array.from(Object.values(growth), BigInt);
  const arena = create((out) => ort.CreateArenaCfgV2(names.addresses, values, values.length, out));
  const [key, value] = [cTexts(['device_id']), cTexts([String(device.index)])];
  check(
    ort.CreateAndRegisterAllocatorV2(
      environment,
      PROVIDER,
      info,
      arena,
      key.addresses,
      value.addresses,
      1,
    ),
    what,
  );
  ort.ReleaseArenaCfg(arena);
}
