import { numElements } from '../graph/dim.ts';
import { CPU } from './device.ts';
import { StateTensor } from './state-tensor.ts';
import type { Tensor } from './tensor.ts';

/** A {@link StateTensor} in memory that JavaScript owns. */
export class HostTensor extends StateTensor implements Tensor {
  readonly device = CPU;
  readonly #owner: HostTensor | undefined;
  #data: Float32Array | undefined;

  /** @param values an array that is the tensor's from now on; zeros unless given */
  constructor(shape: readonly number[], values?: Float32Array, owner?: HostTensor) {
    super(shape);
    this.#data = values ?? new Float32Array(Number(numElements(shape)));
    this.#owner = owner;
    this.requireLength(this.#data);
  }

  get data(): Float32Array {
    if (this.#data === undefined || this.#owner?.isReleased) {
      throw this.misuse('was used after its release');
    }
    return this.#data;
  }

  get isReleased(): boolean {
    return this.#data === undefined;
  }

  override read(): Float32Array {
    return this.data;
  }

  override write(values: Float32Array): void {
    this.requireLength(values);
    this.data.set(values);
  }

  override copyFrom(other: StateTensor): void {
    this.write(other.read());
  }

  override clear(): void {
    this.data.fill(0);
  }

  override part(first: number, shape: readonly number[]): HostTensor {
    this.requireInside(first, shape);
    const values = this.data.subarray(first, first + Number(numElements(shape)));
    return new HostTensor(shape, values, this.#owner ?? this);
  }

  override release(): void {
    this.#data = undefined;
  }
}
