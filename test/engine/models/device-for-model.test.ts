import { expect, test } from 'vitest';
import { elementCount } from '../../../engine/formats/tensor-location.ts';
import { deviceForModel } from '../../../engine/models/device-for-model.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { describeQuantized } from '../../../engine/weights/quantization.ts';
import { WeightStore } from '../../../engine/weights/weight-store.ts';
import { goldenModel } from '../generate/golden-model.ts';

const WEBGPU = { kind: 'webgpu', index: 0 } as const;
const CUDA = { kind: 'cuda', index: 0 } as const;

/** What is taken, and what is told of it. */
async function taken(...[setting, found, open]: Parameters<typeof deviceForModel>) {
  const told: string[] = [];
  const device = await deviceForModel(setting, found, open, (why) => told.push(why));
  return { device, told };
}

test('auto passes WebGPU over for a mixture of experts, and says so', async () => {
  const mixture = await goldenModel('mixtral');
  expect(await taken('auto', WEBGPU, () => mixture)).toEqual({
    device: CPU,
    told: [
      'engine.device "auto" is cpu instead of webgpu, which does not compute mixtures of experts.',
    ],
  });
});

test('auto passes WebGPU over for a weight that it has no buffer for', async () => {
  const model = await goldenModel('llama2');
  const sizes = [...model.weights.tensors.values()].map(({ length }) => length);
  const largest = Math.max(...sizes);
  const of = (largestBuffer: number, opened = model) =>
    taken('auto', { ...WEBGPU, largestBuffer }, () => opened);
  expect((await of(largest)).device).toEqual({ ...WEBGPU, largestBuffer: largest });
  const { device, told } = await of(largest - 1);
  expect(device).toEqual(CPU);
  expect(told).toEqual([
    expect.stringMatching(
      /^engine\.device "auto" is cpu instead of webgpu, which has no buffer that the tensor \S+ fits in\.$/,
    ),
  ]);
});

test('weights are measured as the device has them: floats in float32, codes as they are', async () => {
  const model = await goldenModel('qwen3');
  const { tensors } = model.weights;
  const inBfloat16 = [...tensors].map(
    ([name, tensor]) => [name, { ...tensor, dtype: 'BF16' }] as const,
  );
  const narrow = { ...model, weights: new WeightStore(new Map(inBfloat16)) };
  const inNf4 = describeQuantized(model, { kind: 'nf4', doubleQuant: false });
  for (const opened of [narrow, inNf4]) {
    const sizes = [...opened.weights.tensors.values()].map(
      ({ dtype, shape }) => elementCount(shape) * (dtype === 'U8' ? 1 : 4),
    );
    const limit = Math.max(...sizes);
    const of = async (largestBuffer: number) =>
      (await taken('auto', { ...WEBGPU, largestBuffer }, () => opened)).device?.kind;
    expect([await of(limit), await of(limit - 1)]).toEqual(['webgpu', 'cpu']);
  }
});

test('no other choice waits for a model', async () => {
  const open = () => Promise.reject(new Error('It was opened.'));
  expect(await taken('webgpu', WEBGPU, open)).toEqual({ device: WEBGPU, told: [] });
  for (const device of [CPU, CUDA]) {
    expect(await taken('auto', device, open)).toEqual({ device, told: [] });
  }
});
