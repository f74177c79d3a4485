import { DTYPE_BYTES, type DType, ONNX_DATA_TYPE } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import type { Device } from './device.ts';
import { HostValues } from './host-values.ts';
import { idleSession } from './idle-session.ts';
import { check, create, environment, ort } from './onnx-runtime.ts';
import { tensorAt } from './tensor-at.ts';
import type { TensorMemory } from './tensor-memory.ts';

/** `OrtDeviceAllocator`, `OrtMemTypeDefault` */
const [DEVICE_ALLOCATOR, DEFAULT_MEMORY] = [0, 0];

const DEVICE: Device = { kind: 'webgpu', index: 0 };

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
    const dims = BigInt64Array.from(shape, BigInt);
    const type = ONNX_DATA_TYPE[dtype];
    return create(
      (out) => ort.CreateTensorAsOrtValue(this.#allocator, dims, dims.length, type, out),
      `webgpu has no room for a tensor of the shape [${shape.join(', ')}]`,
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
    const [source, target] = [BigUint64Array.of(from), BigUint64Array.of(to)];
    const what = 'ONNX Runtime could not copy to or from webgpu';
    check(ort.CopyTensors(environment, source, target, null, 1), what);
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
