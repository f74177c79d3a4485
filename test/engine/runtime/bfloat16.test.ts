import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import {
  bfloat16Problem,
  openBfloat16,
  requireBfloat16,
} from '../../../engine/runtime/bfloat16.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';

test('a graphics card is refused', () => {
  expect(() => requireBfloat16({ kind: 'cuda', index: 1 })).toThrow(
    'Products in bfloat16 by oneDNN need a CPU, and the model runs on cuda:1;',
  );
});

test('without the library, what is missing is said', () => {
  expect(() => openBfloat16(undefined)).toThrow(
    /^Products in bfloat16 need oneDNN, which is not in this package for .*set engine\.compute to "float32"/,
  );
  const library = {
    file: import.meta.filename,
    openmp: 'libno-such-openmp.so.7',
    openmpSource: 'the package of it',
  };
  expect(() => openBfloat16(library)).toThrow(
    /could not be loaded from .* with libno-such-openmp\.so\.7 \(.*\); install the package of it, or set/,
  );
});

test.skipIf(hasBfloat16)(
  'a session with such products is refused by the same sentence',
  async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [1, 1]);
    const y = builder.cast(builder.apply('toBfloat16', [x], {}), 'float32');
    await expect(Session.create(builder.finish({ y }))).rejects.toMatchObject({
      code: 'device.unavailable',
      message: bfloat16Problem(CPU),
    });
  },
);

test.runIf(hasBfloat16)('five hundred sessions leave nothing behind', async () => {
  const session = async (): Promise<void> => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [64, 64]);
    const high = builder.apply('toBfloat16', [x], {});
    const y = builder.apply('matmulBfloat16', [high, high, high], { transA: false, transB: true });
    const made = await Session.create(builder.finish({ y }), { threads: 1 });
    await made.run({ x: new Float32Array(64 * 64).fill(1) });
    await made.release();
  };
  for (let i = 0; i < 50; i++) await session();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 500; i++) await session();
  // A session takes tens of kilobytes, and primitives that were not released as much.
  expect(process.memoryUsage.rss() - before).toBeLessThan(20e6);
});
