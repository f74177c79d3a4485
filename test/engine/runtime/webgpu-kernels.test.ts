import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { requireKernels } from '../../../engine/runtime/webgpu-kernels.ts';

test('WebGPU refuses experts, of which some may have no tokens', async () => {
  const b = new GraphBuilder();
  const ends = b.input('ends', 'int64', [2]);
  const rows = b.input('rows', 'float32', [3, 4]);
  const experts = [0, 1].map((index) => b.segment(rows, ends, index, `tokens of ${index}`));
  const graph = b.finish({ joined: b.joinSegments(experts, ends, 3) });
  expect(() => requireKernels(graph, CPU)).not.toThrow();
  await expect(
    Session.create(graph, { device: { kind: 'webgpu', index: 0 } }),
  ).rejects.toMatchObject({
    code: 'device.unavailable',
    message: expect.stringMatching(/^Mixtures of experts are not computed on webgpu, /),
  });
});
