import { numElements } from '../graph/dim.ts';
import { DTYPE_BYTES } from '../graph/dtype.ts';
import type { Pointer } from './c-api.ts';
import type { Device } from './device.ts';
import { HostValues } from './host-values.ts';
import { ort } from './onnx-runtime.ts';
import { StateTensor } from './state-tensor.ts';
import type { TensorMemory } from './tensor-memory.ts';

/**
 * What a tensor and its parts lie in. Where a run may not write over what it reads there is a second place as
 * large, which takes turns with the first.
 */
interface Places {
  readonly first: Pointer;
  second?: Pointer;
  /** Which of them has the numbers. */
  current: 'first' | 'second';
}

/** A {@link StateTensor} in the memory of a device. */
export class DeviceTensor extends StateTensor {
  readonly #memory: TensorMemory;
  /** Of the whole tensor. */
  readonly #wholeShape: readonly number[];
  readonly #parts: DeviceTensor[] = [];
  /** For a part: where it begins, in elements. */
  readonly #start: number | undefined;
  /** For a part: tensors over its bytes of each place. */
  readonly #views: { first?: Pointer; second?: Pointer } = {};
  #places: Places | undefined;

  private constructor(
    memory: TensorMemory,
    shape: readonly number[],
    places: Places,
    part?: { readonly start: number; readonly wholeShape: readonly number[] },
  ) {
    super(shape);
    this.#memory = memory;
    this.#places = places;
    this.#start = part?.start;
    this.#wholeShape = part?.wholeShape ?? shape;
  }

  /**
   * A tensor of unknown numbers.
   *
   * @throws LorafaError `device.out_of_memory` when there is no room for it
   */
  static in(memory: TensorMemory, shape: readonly number[]): DeviceTensor {
    const first = memory.allocate('float32', shape);
    return new DeviceTensor(memory, shape, { first, current: 'first' });
  }

  override get device(): Device {
    return this.#memory.device;
  }

  /** What calls of ONNX Runtime read; it goes with the tensor. */
  get value(): Pointer {
    return this.#at(this.#there.current);
  }

  /**
   * What a run fills, which {@link filled} makes the tensor's numbers.
   *
   * @throws LorafaError `device.out_of_memory` when the device has no room for it
   */
  get valueToFill(): Pointer {
    const places = this.#there;
    if (this.#memory.writesInPlace) return this.#at(places.current);
    places.second ??= this.#memory.allocate('float32', this.#wholeShape);
    return this.#at(otherThan(places.current));
  }

  /** To be called when a run has filled all of the tensor. */
  filled(): void {
    const places = this.#there;
    if (!this.#memory.writesInPlace) places.current = otherThan(places.current);
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
    const start = (this.#start ?? 0) + first;
    const wholeShape = this.#wholeShape;
    const part = new DeviceTensor(this.#memory, shape, this.#there, { start, wholeShape });
    this.#parts.push(part);
    return part;
  }

  override release(): void {
    for (const part of this.#parts.splice(0)) part.release();
    const places = this.#places;
    if (places === undefined) return;
    this.#places = undefined;
    const owned = this.#start === undefined ? places : this.#views;
    for (const value of [owned.first, owned.second]) {
      if (value !== undefined) ort.ReleaseValue(value);
    }
  }

  get #there(): Places {
    if (this.#places === undefined) throw this.misuse('was used after its release');
    return this.#places;
  }

  #at(place: Places['current']): Pointer {
    const whole = this.#there[place]!;
    if (this.#start === undefined) return whole;
    const bytes = DTYPE_BYTES.float32 * Number(numElements(this.shape));
    const start = DTYPE_BYTES.float32 * this.#start;
    this.#views[place] ??= this.#memory.part(whole, start, bytes, 'float32', this.shape);
    return this.#views[place];
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

function otherThan(place: Places['current']): Places['current'] {
  return place === 'first' ? 'second' : 'first';
}
