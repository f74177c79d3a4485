import { describe, expect, test } from 'vitest';
import { dataFormat } from '../../../../engine/data/data-format.ts';
import { type Piece, RowOrder } from '../../../../engine/data/streaming/row-order.ts';
import { goldenPath } from '../../../support/golden.ts';

/** Blocks of rows in one file. */
function blocks(sizes: readonly number[], pieceRows = 4): readonly Piece[] {
  let row = 0;
  return sizes.flatMap((size, block) => {
    const pieces: Piece[] = [];
    for (const last = row + size; row < last; row = Math.min(last, row + pieceRows)) {
      pieces.push({ file: 0, start: row, end: Math.min(last, row + pieceRows), block });
    }
    return pieces;
  });
}

function rowsBetween(order: RowOrder, start: number, end: number): number[] {
  return [...order.between(start, end)].flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, index) => start + index),
  );
}

describe('the order of rows', () => {
  const pieces = blocks([7, 12, 3, 9, 1, 10]);

  test('has every row once in each pass, however it is cut', () => {
    for (const width of [1, 5, 42, 100]) {
      const order = new RowOrder(pieces, 1, 0);
      const rows: number[] = [];
      for (let at = 0; at < 126; at += width) {
        rows.push(...rowsBetween(order, at, Math.min(126, at + width)));
      }
      expect(rows).toEqual(rowsBetween(new RowOrder(pieces, 1, 0), 0, 126));
      for (let pass = 0; pass < 3; pass++) {
        const one = rows.slice(pass * 42, (pass + 1) * 42);
        expect(one.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 42 }, (_, i) => i));
      }
      expect(rows.slice(0, 42)).not.toEqual(rows.slice(42, 84));
    }
  });

  test('keeps the pieces of a block after each other', () => {
    const order = [...new RowOrder(pieces, 3, 0).between(0, 42)].map(
      ({ start }) => pieces.find((piece) => piece.start === start)!.block,
    );
    const changes = order.filter((block, at) => block !== order[at - 1]);
    expect(changes).toHaveLength(6);
  });

  test('is another one for another seed or set', () => {
    const first = rowsBetween(new RowOrder(pieces, 1, 0), 0, 42);
    expect(rowsBetween(new RowOrder(pieces, 2, 0), 0, 42)).not.toEqual(first);
    expect(rowsBetween(new RowOrder(pieces, 1, 1), 0, 42)).not.toEqual(first);
  });
});

test('rows of Parquet are found without those before them', async () => {
  const file = goldenPath('data', 'groups.parquet');
  const rows = await dataFormat(file).open!(file);
  expect([rows.rows, Array.from(rows.blocks)]).toEqual([23, [0, 9, 18]]);
  const ids: unknown[] = [];
  for await (const row of rows.read(10, 13))
    ids.push([row.line, 'value' in row && row.value['id']]);
  expect(ids).toEqual([10, 11, 12].map((id) => [id + 1, BigInt(id) * 10n ** 15n]));
});
