import type { DType } from '../graph/dtype.ts';
import type { Memory, Pointer } from './c-api.ts';
import { cpuMemory, ort } from './onnx-runtime.ts';
import type { HostDType, Tensor, TypedArray } from './tensor.ts';
import { tensorAt } from './tensor-at.ts';

type ArrayType = new (buffer: ArrayBuffer, start: number, length: number) => TypedArray;

/** V8 may move what is at most this large; native code goes on pointing at where it was. */
const MOVABLE_BYTES = 64;

/**
 * Tensors over memory that somebody else owns: native code reads feeds and weights where they are
 * and writes results where they are wanted, nothing is copied. Whoever makes a list releases it.
 */
export class HostValues {
  readonly #values: Pointer[] = [];
  /** What native code points at. */
  readonly #kept: TypedArray[] = [];
  readonly #copies: (() => void)[] = [];

  /** A tensor over an array, which must stay as it is until the list is released. */
  over(dtype: HostDType, { data, shape }: Tensor): Pointer {
    const memory = data.byteLength > MOVABLE_BYTES ? data : this.#unmovable(data);
    this.#kept.push(memory);
    return this.at(memory, data.byteLength, dtype, shape);
  }

  /** A tensor at a place in memory that is there until the list is released. */
  at(memory: Memory, bytes: number, dtype: DType, shape: readonly number[]): Pointer {
    const value = tensorAt(cpuMemory, memory, bytes, dtype, shape);
    this.#values.push(value);
    return value;
  }

  /** Puts results into the arrays that they belong in; to be called after the run. */
  finish(): void {
    for (const copy of this.#copies) copy();
  }

  release(): void {
    for (const value of this.#values) ort.ReleaseValue(value);
    this.#values.length = 0;
    this.#kept.length = 0;
  }

  #unmovable(data: TypedArray): TypedArray {
    const room = new ArrayBuffer(MOVABLE_BYTES);
    const copy = new (data.constructor as ArrayType)(room, 0, data.length);
    copy.set(data as never);
    this.#copies.push(() => data.set(copy as never));
    return copy;
  }
}
