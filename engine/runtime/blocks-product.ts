import { middleCode } from '../formats/blockwise.ts';
import type { Pointer } from './c-api.ts';
import { largestDivisor } from './matvec.ts';
import { type Layout, matrix, type Onednn, type Primitive } from './onednn.ts';
import { Numbers } from './own-memory.ts';
import { releaseAll } from './shared-pool.ts';

/** Sizes of a product with a matrix `[columns, blocks · size]` in blocks of codes. */
export interface BlocksProductSizes {
  /** Of x. */
  readonly rows: number;
  readonly columns: number;
  readonly blocks: number;
  readonly size: number;
}

/** Weights that are unpacked at once: what they take stays in a core's cache until they are multiplied with. */
const UNPACKED = 2 ** 20;

/**
 * `x · Wᵀ` of a bfloat16 x and a W in blocks of codes of 8 bits, which is unpacked to bfloat16 some columns of the
 * product at a time.
 */
export class BlocksProduct {
  readonly #sizes: BlocksProductSizes;
  /** Columns of the product that are made at once. */
  readonly #columns: number;
  readonly #unpacked: Numbers;
  /** The code that stands for 0. */
  readonly #middleCode = new Numbers('int32', 1);
  readonly #unpack: Primitive;
  readonly #multiply: Primitive;

  constructor(onednn: Onednn, sizes: BlocksProductSizes) {
    const { rows, columns, blocks, size } = sizes;
    const inner = blocks * size;
    this.#sizes = sizes;
    this.#middleCode.set(middleCode(8), 0, 1);
    this.#columns = largestDivisor(columns, Math.max(1, Math.floor(UNPACKED / inner)));
    this.#unpacked = new Numbers('bfloat16', this.#columns * inner);
    const codes: Layout = { dtype: 'uint8', sizes: [this.#columns * blocks, size] };
    this.#unpack = onednn.dequantize(codes, { ...codes, dtype: 'bfloat16' });
    this.#multiply = onednn.multiply(
      matrix('bfloat16', rows, inner),
      matrix('bfloat16', inner, this.#columns, true),
      { dtype: 'float32', sizes: [rows, this.#columns], strides: [columns, 1] },
    );
  }

  run(x: Pointer, codes: Pointer, scales: Pointer, result: Pointer): void {
    const { columns, blocks, size } = this.#sizes;
    const unpacked = this.#unpacked.address;
    for (let column = 0; column < columns; column += this.#columns) {
      const block = column * blocks;
      const ofBlock = [codes + BigInt(block * size), scales + float32s(block)] as const;
      this.#unpack.run([...ofBlock, this.#middleCode.address, unpacked]);
      this.#multiply.run([x, unpacked, result + float32s(column)]);
    }
  }

  release(): void {
    releaseAll([this.#unpack, this.#multiply]);
  }
}

/** Bytes of so many numbers. */
function float32s(count: number): bigint {
  return BigInt(Float32Array.BYTES_PER_ELEMENT * count);
}
