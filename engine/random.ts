/**
 * Random numbers that are a function of (seed, stream, position) and of nothing else: any position
 * can be reached at once, so a resumed run goes on exactly where it stopped, and two uses with
 * different stream numbers never share values.
 *
 * Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
 */
export class Random {
  /** Index of the next 32-bit value; set it to go on from a stored position. */
  position = 0;
  readonly #key: readonly [number, number];
  readonly #stream: number;
  #block: readonly number[] = [];
  #blockIndex = -1;

  /** @param seed any safe integer ≥ 0. @param stream what the numbers are for, 0 to 2^32 - 1. */
  constructor(seed: number, stream = 0) {
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
    this.#stream = stream >>> 0;
  }

  /** An integer from 0 to 2^32 - 1. Advances by one position. */
  uint32(): number {
    const index = Math.floor(this.position / 4);
    if (index !== this.#blockIndex) {
      const counter = [index >>> 0, Math.floor(index / 2 ** 32), this.#stream, 0] as const;
      this.#block = philox4x32(counter, this.#key);
      this.#blockIndex = index;
    }
    return this.#block[this.position++ % 4]!;
  }

  /** A float64 in [0, 1) with 53 random bits. Advances by two positions. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** A value of the standard normal distribution (Box-Muller). Advances by four positions. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** An integer from 0 to `bound - 1`, each equally likely. @param bound 1 to 2^32. */
  below(bound: number): number {
    // Values past the last whole multiple of `bound` would favour small results.
    const limit = 2 ** 32 - (2 ** 32 % bound);
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % bound;
  }
}

/** The integers 0 to `length - 1` in random order (Fisher-Yates). */
export function permutation(length: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

type Words4 = readonly [number, number, number, number];

/** Ten rounds of Philox over a 128-bit counter with a 64-bit key; all words are unsigned. */
export function philox4x32(counter: Words4, key: readonly [number, number]): Words4 {
  let [x0, x1, x2, x3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, x0);
    const low0 = Math.imul(0xd2511f53, x0) >>> 0;
    const high1 = multiplyHigh(0xcd9e8d57, x2);
    const low1 = Math.imul(0xcd9e8d57, x2) >>> 0;
    [x0, x1, x2, x3] = [(high1 ^ x1 ^ k0) >>> 0, low1, (high0 ^ x3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [x0, x1, x2, x3];
}

/** The upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 2 ** 16) + Math.floor(carry / 2 ** 16)) >>> 0;
}
