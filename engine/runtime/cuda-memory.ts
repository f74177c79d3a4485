import type { DType } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import { cTexts } from './c-texts.ts';
import { cudaProvider } from './cuda-provider.ts';
import { type Device, formatDevice } from './device.ts';
import { HostValues } from './host-values.ts';
import { idleSession } from './idle-session.ts';
import { check, create, environment, ort } from './onnx-runtime.ts';
import { tensorAt } from './tensor-at.ts';
import { copyTensor, tensorIn } from './tensor-in.ts';
import type { TensorMemory } from './tensor-memory.ts';

/** The name by which allocators of CUDA's memory go. */
const PROVIDER = 'CUDAExecutionProvider';

/** `OrtDeviceAllocator`, `OrtMemTypeDefault` */
const [DEVICE_ALLOCATOR, DEFAULT_MEMORY] = [0, 0];

/** Elements that are made zero by one copy. */
const ZEROS = 2 ** 16;

/** How arenas grow, `kSameAsRequested`: as they come, they double what they have. */
const SAME_AS_REQUESTED = 1n;

/** The memories of this process by the number of the device. */
const opened = new Map<number, CudaMemory>();

/** Whether the library that copies between host and device is there; once a process. */
let hasCopies = false;

/**
 * The memory of one CUDA device. What stays in it (weights and state) is taken as it is asked for, byte
 * by byte; what sessions compute with comes from one arena for all of them, so that several batch
 * shapes, evaluations and answers share what the largest of them takes.
 */
export class CudaMemory implements TensorMemory {
  readonly device: Device;
  readonly writesInPlace = true;
  readonly hasAddresses = true;
  readonly #info: Pointer;
  readonly #allocator: Pointer;
  /** As many zeros as are copied at once. */
  readonly #zeros: Pointer;

  private constructor(device: Device) {
    this.device = device;
    const what = `ONNX Runtime could not start on ${formatDevice(device)}`;
    if (!hasCopies) {
      const library = cudaProvider(device);
      check(ort.RegisterExecutionProviderLibrary(environment, PROVIDER, library), what);
      hasCopies = true;
    }
    this.#info = create(
      (out) => ort.CreateMemoryInfo('Cuda', DEVICE_ALLOCATOR, device.index, DEFAULT_MEMORY, out),
      what,
    );
    // An allocator of a device comes from a session, and lives as long. A device that is not there is refused
    // here; an arena for it would end the process.
    const owner = idleSession(device, what);
    registerArena(this.#info, device, what);
    this.#allocator = create((out) => ort.CreateAllocator(owner, this.#info, out), what);
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

  allocate(dtype: DType, shape: readonly number[]): Pointer {
    return tensorIn(this.#allocator, this.device, dtype, shape);
  }

  part(
    whole: Pointer,
    start: number,
    bytes: number,
    dtype: DType,
    shape: readonly number[],
  ): Pointer {
    return tensorAt(this.#info, this.addressOf(whole) + BigInt(start), bytes, dtype, shape);
  }

  /** Where the numbers of a tensor are. */
  addressOf(tensor: Pointer): Pointer {
    return create((out) => ort.GetTensorMutableData(tensor, out));
  }

  copy(from: Pointer, to: Pointer): void {
    copyTensor(this.device, from, to);
  }

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

  #newZeros(): Pointer {
    const zeros = this.allocate('float32', [ZEROS]);
    const values = new HostValues();
    const data = new Float32Array(ZEROS);
    this.copy(values.over('float32', { data, shape: [ZEROS] }), zeros);
    values.release();
    return zeros;
  }
}

function registerArena(info: Pointer, device: Device, what: string): void {
  const name = cTexts(['arena_extend_strategy']);
  const strategy = BigUint64Array.of(SAME_AS_REQUESTED);
  const arena = create((out) => ort.CreateArenaCfgV2(name.addresses, strategy, 1, out));
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
