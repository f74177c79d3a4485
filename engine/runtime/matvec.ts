import type { Pointer } from './c-api.ts';
import { matrix, type Onednn, type Primitive } from './onednn.ts';
import { Numbers } from './own-memory.ts';
import { releaseAll } from './shared-pool.ts';

/** The largest number that divides another, no larger than a limit. */
export function largestDivisor(number: number, limit: number): number {
  let divisor = Math.min(number, limit);
  while (number % divisor !== 0) divisor--;
  return divisor;
}

/**
 * `W · x` of a bfloat16 W `[columns, inner]` and a float32 x, which is split into two bfloat16 numbers each:
 * `W · [high low]`, whose two columns are added. oneDNN reads its first factor where it lies and
 * packs the second: so it takes W a quarter less time than as the second factor of `x · Wᵀ`.
 */
export class MatVec {
  /** High parts, then low parts. */
  readonly #parts: Numbers;
  /** What rounding x leaves, before it is rounded itself. */
  readonly #rest: Numbers;
  /** `[columns, 2]` */
  readonly #products: Numbers;
  readonly #ones: Numbers;
  readonly #round: Primitive;
  readonly #subtract: Primitive;
  readonly #multiply: Primitive;
  readonly #addColumns: Primitive;

  constructor(onednn: Onednn, inner: number, columns: number) {
    const x = matrix('float32', 1, inner);
    const part = matrix('bfloat16', 1, inner);
    const products = matrix('float32', columns, 2);
    this.#parts = new Numbers('bfloat16', 2 * inner);
    this.#rest = new Numbers('float32', inner);
    this.#products = new Numbers('float32', 2 * columns);
    this.#ones = new Numbers('float32', 2);
    this.#ones.set(1, 0, 2);
    this.#round = onednn.convert(x, part);
    this.#subtract = onednn.combine('subtract', x, part, x);
    // Threads divide a batch of products, not the rows of one.
    const batch = largestDivisor(columns, onednn.threads);
    this.#multiply = onednn.multiply(
      { dtype: 'bfloat16', sizes: [batch, columns / batch, inner] },
      { dtype: 'bfloat16', sizes: [1, inner, 2], strides: [2 * inner, 1, inner] },
      { dtype: 'float32', sizes: [batch, columns / batch, 2] },
    );
    // A product with ones takes a thirtieth of the time of adding numbers that do not lie side by side.
    this.#addColumns = onednn.multiply(
      products,
      matrix('float32', 2, 1),
      matrix('float32', columns, 1),
    );
  }

  run(x: Pointer, weight: Pointer, result: Pointer): void {
    const [high, rest, products] = [this.#parts, this.#rest, this.#products].map(
      ({ address }) => address,
    ) as [Pointer, Pointer, Pointer];
    this.#round.run([x, high]);
    this.#subtract.run([x, high, rest]);
    this.#round.run([rest, this.#parts.at(this.#rest.count)]);
    this.#multiply.run([weight, high, products]);
    this.#addColumns.run([products, this.#ones.address, result]);
  }

  release(): void {
    releaseAll([this.#round, this.#subtract, this.#multiply, this.#addColumns]);
  }
}
