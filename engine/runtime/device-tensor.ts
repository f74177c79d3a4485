import { numElements } from '../graph/dim.ts';
import { DTYPE_BYTES } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import type { CudaMemory } from './cuda-memory.ts';
import type { Device } from './device.ts';
import { HostValues } from './host-values.ts';
import { ort } from './onnx-runtime.ts';
import { StateTensor } from './state-tensor.ts';

/** A {@link StateTensor} in the memory of a CUDA device. */
export class DeviceTensor extends StateTensor {
  readonly #memory: CudaMemory;
  readonly #parts: DeviceTensor[] = [];
  #value: Pointer | undefined;

  private constructor(memory: CudaMemory, shape: readonly number[], value: Pointer) {
    super(shape);
    this.#memory = memory;
    this.#value = value;
  }

  /**
   * A tensor of unknown numbers.
   *
   * @throws LorafaError `device.failed` when there is no room for it
   */
  static in(memory: CudaMemory, shape: readonly number[]): DeviceTensor {
    return new DeviceTensor(memory, shape, memory.allocate('float32', shape));
  }

  override get device(): Device {
    return this.#memory.device;
  }

  /** For calls of ONNX Runtime; it goes with the tensor. */
  get value(): Pointer {
    if (this.#value === undefined) throw this.misuse('was used after its release');
    return this.#value;
  }

  override read(): Float32Array {
    const values = new Float32Array(this.length);
    this.#onHost(values, (host) => this.#memory.copy(this.value, host));
    return values;
  }

  override write(values: Float32Array): void {
    this.requireLength(values);
    this.#onHost(values, (host) => this.#memory.copy(host, this.value));
  }

  override copyFrom(other: StateTensor): void {
    const isHere = other instanceof DeviceTensor && other.#memory === this.#memory;
    if (!isHere || other.length !== this.length) this.write(other.read());
    else this.#memory.copy(other.value, this.value);
  }

  override clear(): void {
    this.#memory.clear(this.value, this.length);
  }

  override part(first: number, shape: readonly number[]): DeviceTensor {
    this.requireInside(first, shape);
    const bytes = DTYPE_BYTES.float32 * Number(numElements(shape));
    const start = DTYPE_BYTES.float32 * first;
    const value = this.#memory.part(this.value, start, bytes, 'float32', shape);
    const part = new DeviceTensor(this.#memory, shape, value);
    this.#parts.push(part);
    return part;
  }

  override release(): void {
    for (const part of this.#parts.splice(0)) part.release();
    if (this.#value !== undefined) ort.ReleaseValue(this.#value);
    this.#value = undefined;
  }

  #onHost(data: Float32Array, copy: (host: Pointer) => void): void {
    const values = new HostValues();
    try {
      copy(values.over('float32', { data, shape: this.shape }));
      values.finish();
    } finally {
      values.release();
    }
  }
}
