import { formatShape, staticSize } from '../graph/dim.ts';
import { DTYPE_BYTES, type DType } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import { type Device, formatDevice } from './device.ts';
import { HostValues } from './host-values.ts';
import { idleSession } from './idle-session.ts';
import { create, ort } from './onnx-runtime.ts';
import { OutOfMemory } from './out-of-memory.ts';
import { tensorAt } from './tensor-at.ts';
import { copyTensor, tensorIn } from './tensor-in.ts';
import type { TensorMemory } from './tensor-memory.ts';

/** `OrtDeviceAllocator`, `OrtMemTypeDefault` */
const [DEVICE_ALLOCATOR, DEFAULT_MEMORY] = [0, 0];

const DEVICE: Device = { kind: 'webgpu', index: 0 };

/** As many numbers as float32 tells from each other, counting by one. */
const MOST_MARKS = 2 ** 24;

let opened: WebgpuMemory | undefined;

/**
 * The memory of the WebGPU device. A tensor there is a buffer, whose "address" is a handle: nothing can be added to
 * it, so that a tensor begins where its buffer does. WebGPU does not let a shader write to a buffer that it reads.
 */
export class WebgpuMemory implements TensorMemory {
  readonly device = DEVICE;
  readonly writesInPlace = false;
  readonly hasAddresses = false;
  readonly #info: Pointer;
  readonly #allocator: Pointer;
  /** Tensors of zeros by their lengths: copies within the device take the place of uploads. */
  readonly #zeros = new Map<number, Pointer>();
  /** The number that was written to the newest tensor: another one each time, from 1 to {@link MOST_MARKS}. */
  #mark = 0;

  private constructor() {
    const what = 'ONNX Runtime could not start on webgpu';
    const owner = idleSession(DEVICE, what);
    this.#info = create(
      (out) => ort.CreateMemoryInfo('WebGPU_Buffer', DEVICE_ALLOCATOR, 0, DEFAULT_MEMORY, out),
      what,
    );
    this.#allocator = create((out) => ort.CreateAllocator(owner, this.#info, out), what);
  }

  /**
   * The memory, which is there until the process ends.
   *
   * @throws LorafaError `device.failed`
   */
  static open(): WebgpuMemory {
    opened ??= new WebgpuMemory();
    return opened;
  }

  allocate(dtype: DType, shape: readonly number[]): Pointer {
    const tensor = tensorIn(this.#allocator, this.device, dtype, shape);
    let keeps = false;
    try {
      keeps = staticSize(shape) === 0 || this.#keeps(tensor);
    } finally {
      if (!keeps) ort.ReleaseValue(tensor);
    }
    if (keeps) return tensor;
    throw new OutOfMemory(
      `${formatDevice(this.device)} has no room for a tensor of the shape ${formatShape(shape)}`,
    );
  }

  /** @param start must be 0 */
  part(
    whole: Pointer,
    start: number,
    bytes: number,
    dtype: DType,
    shape: readonly number[],
  ): Pointer {
    if (start !== 0) throw new RangeError('a buffer of WebGPU was asked for what is inside of it');
    const handle = create((out) => ort.GetTensorMutableData(whole, out));
    return tensorAt(this.#info, handle, bytes, dtype, shape);
  }

  copy(from: Pointer, to: Pointer): void {
    copyTensor(this.device, from, to);
  }

  clear(tensor: Pointer, length: number): void {
    const bytes = DTYPE_BYTES.float32 * length;
    const target = this.part(tensor, 0, bytes, 'float32', [length]);
    try {
      this.copy(this.#zerosOf(length), target);
    } finally {
      ort.ReleaseValue(target);
    }
  }

  /**
   * Whether there is a buffer behind a tensor. ONNX Runtime does not look whether it got one; what is written to
   * one that is too large or that there is no memory for is lost without an error.
   */
  #keeps(tensor: Pointer): boolean {
    // Buffers have sixteen bytes at least.
    const first = this.part(tensor, 0, DTYPE_BYTES.float32, 'float32', [1]);
    const host = new HostValues();
    this.#mark = (this.#mark % MOST_MARKS) + 1;
    const mark = Float32Array.of(this.#mark);
    const kept = new Float32Array(1);
    try {
      this.copy(host.over('float32', { data: mark, shape: [1] }), first);
      this.copy(first, host.over('float32', { data: kept, shape: [1] }));
      host.finish();
      return kept[0] === mark[0];
    } finally {
      host.release();
      ort.ReleaseValue(first);
    }
  }

  #zerosOf(length: number): Pointer {
    const known = this.#zeros.get(length);
    if (known !== undefined) return known;
    const zeros = this.allocate('float32', [length]);
    const host = new HostValues();
    this.copy(host.over('float32', { data: new Float32Array(length), shape: [length] }), zeros);
    host.release();
    this.#zeros.set(length, zeros);
    return zeros;
  }
}
