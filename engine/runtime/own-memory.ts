import koffi from 'koffi';
import type { Pointer } from './c-api.ts';

const ARRAYS = {
  float32: { type: Float32Array, bytes: 4 },
  int32: { type: Int32Array, bytes: 4 },
  bfloat16: { type: Uint16Array, bytes: 2 },
} as const;

/** Memory of our own that native code computes in. */
export class Numbers {
  readonly count: number;
  readonly address: Pointer;
  readonly #array: Float32Array | Int32Array | Uint16Array;

  constructor(dtype: keyof typeof ARRAYS, count: number) {
    this.count = count;
    // A few numbers without a buffer of their own would be moved about by V8.
    const { type, bytes } = ARRAYS[dtype];
    this.#array = new type(new ArrayBuffer(bytes * count));
    this.address = koffi.address(this.#array) as Pointer;
  }

  /** Where the number `index` lies. */
  at(index: number): Pointer {
    return this.address + BigInt(index * this.#array.BYTES_PER_ELEMENT);
  }

  clear(): void {
    this.#array.fill(0);
  }

  /** Writes a few numbers, for which a loop is faster than `fill`. */
  set(number: number, from: number, end: number): void {
    const array = this.#array;
    for (let i = from; i < end; i++) array[i] = number;
  }
}

/** A copy of the numbers at a place in memory. */
export function float32sAt(address: Pointer, count: number): Float32Array {
  const type = koffi.array('float', count);
  return Float32Array.from(koffi.decode(address, type) as ArrayLike<number>);
}

/** A copy of the 16-bit units at a place in memory. */
export function uint16sAt(address: Pointer, count: number): Uint16Array {
  const type = koffi.array('uint16_t', count);
  return Uint16Array.from(koffi.decode(address, type) as ArrayLike<number>);
}

/** The addresses that stand at a place in memory. */
export function pointersAt(address: Pointer, count: number): readonly Pointer[] {
  if (count === 0) return [];
  const type = koffi.array('uint64_t', count);
  return Array.from(koffi.decode(address, type) as ArrayLike<number | bigint>, BigInt);
}

/** The text at a place in memory, up to its end of zero. */
export function textAt(address: Pointer): string {
  return koffi.decode(address, 'char', -1) as string;
}
