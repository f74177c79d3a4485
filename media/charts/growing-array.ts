/** Numbers in one piece of memory that grows by doubling. */
export class GrowingArray {
  #memory = new Float64Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Drops what lies beyond; cannot grow. */
  set length(length: number) {
    this.#length = Math.min(length, this.#length);
  }

  /** NaN while there is none. */
  get last(): number {
    return this.#length === 0 ? Number.NaN : this.#memory[this.#length - 1]!;
  }

  /** A view, valid until the next change. */
  get values(): Float64Array {
    return this.#memory.subarray(0, this.#length);
  }

  push(value: number): void {
    if (this.#length === this.#memory.length) {
      const larger = new Float64Array(2 * this.#length);
      larger.set(this.#memory);
      this.#memory = larger;
    }
    this.#memory[this.#length] = value;
    this.#length += 1;
  }
}
