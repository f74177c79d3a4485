import type { DType } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import { cTexts } from './c-texts.ts';
import { cudaProvider } from './cuda-provider.ts';
import { type Device, formatDevice } from './device.ts';
import { HostValues } from './host-values.ts';
import { idleSession } from './idle-session.ts';
import { check, create, environment, ort } from './onnx-runtime.ts';
import { boundMet } from './out-of-memory.ts';
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
  /** Bytes that all of it may be at most; undefined for as many as there are. */
  readonly #most: number | undefined;
  /** The part of these that is not for what sessions compute with. */
  #standing = 0;
  #hasArena = false;
  /** As many zeros as are copied at once. */
  readonly #zeros: Pointer;

  private constructor(device: Device, most: number | undefined) {
    this.device = device;
    this.#most = most;
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
    // An allocator of a device comes from a session, and lives as long.
    const owner = idleSession(device, what, most);
    this.#allocator = create((out) => ort.CreateAllocator(owner, this.#info, out), what);
    this.#zeros = this.#newZeros();
  }

  /**
   * The memory of a device, which is there until the process ends.
   *
   * @param most bytes that the process may have of it, where nobody has asked for it before; as many as there are unless given
   * @throws LorafaError `device.failed`
   */
  static of(device: Device, most?: number): CudaMemory {
    const memory = opened.get(device.index) ?? new CudaMemory(device, most);
    opened.set(device.index, memory);
    return memory;
  }

  /**
   * Keeps a part of the bytes that the process may have from what sessions compute with, before the first of them is made.
   *
   * @throws LorafaError `device.out_of_memory` where that is all of them
   */
  keepFromSessions(bytes: number): void {
    if (this.#most === undefined) return;
    if (bytes >= this.#most) throw boundMet(this.device, bytes, this.#most);
    this.#standing = bytes;
  }

  /**
   * Makes what sessions of the device compute with, where it is not there yet.
   *
   * @throws LorafaError `device.failed`
   */
  openArena(): void {
    if (this.#hasArena) return;
    const most = this.#most && this.#most - this.#standing;
    // A device that is not there was refused before; an arena for it would end the process.
    registerArena(this.#info, this.device, most);
    this.#hasArena = true;
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

/** @param most bytes that it may grow to */
function registerArena(info: Pointer, device: Device, most: number | undefined): void {
  const settings = {
    arena_extend_strategy: SAME_AS_REQUESTED,
    ...(most !== undefined && { max_mem: BigInt(Math.floor(most)) }),
  };
  const names = cTexts(Object.keys(settings));
  const values = BigUint64Array.from(Object.values(settings));
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
    `ONNX Runtime could not start on ${formatDevice(device)}`,
  );
  ort.ReleaseArenaCfg(arena);
}
