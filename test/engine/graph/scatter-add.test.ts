import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { Session } from '../../../engine/runtime/session.ts';

const ROWS = 4;
const PER_ROW = 512;
const WIDTH = 512;

test('rows that are added to one another on two threads all count', async () => {
  const b = new GraphBuilder();
  const count = ROWS * PER_ROW;
  const indices = b.input('indices', 'int64', [count]);
  const updates = b.input('updates', 'float32', [count, WIDTH]);
  const sum = b.scatterAdd(indices, updates, ROWS);
  const session = await Session.create(b.finish({ sum }), { threads: 2 });
  const feeds = {
    indices: BigInt64Array.from({ length: count }, (_, i) => BigInt(i % ROWS)),
    updates: new Float32Array(count * WIDTH).fill(1),
  };
  for (let run = 0; run < 16; run++) {
    const { data } = (await session.run(feeds))['sum']!;
    expect((data as Float32Array).every((value) => value === PER_ROW)).toBe(true);
  }
  await session.release();
});
