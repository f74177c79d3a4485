import { expect, test } from 'vitest';
import { renderEstimate } from '../../../server/cli/estimate-report.ts';

const split = {
  rows: 1200,
  tokens: 345_678,
  supervisedTokens: 200_000,
  truncatedRows: 0,
  droppedRows: 0,
};

const estimate = {
  model: 'tiny',
  device: 'cpu',
  parameters: { trainable: 1000, total: 200_000 },
  train: split,
  padding: {
    packing: false,
    unpacked: { rows: 1200, paddingWaste: 0.1234 },
    packed: { rows: 310, paddingWaste: 0.021 },
  },
  stepsPerEpoch: 300,
  steps: 900,
  largestBatch: { rows: 4, length: 512 },
  gradientCheckpointing: 'attention',
  compute: 'float32',
  memory: {
    weights: 2 ** 29,
    answerWeights: 0,
    optimizer: 2 ** 20,
    activations: 2 ** 31,
    evaluation: 0,
    answers: 0,
    runtime: 2 ** 27,
    total: 2.8 * 2 ** 30,
  },
  memoryLimit: 2 ** 33,
  warnings: [],
} as const;

test('an estimate is a table', () => {
  expect(renderEstimate(estimate).split('\n')).toEqual([
    'Model            tiny',
    'Device           cpu',
    'Parameters       1,000 trainable of 200,000 (0.50 %)',
    'Training data    1,200 rows, 345,678 tokens, 200,000 supervised',
    'Padding          12.3 % of 1,200 rows (2.1 % of 310 rows with data.packing)',
    'Steps            900, of which 300 make an epoch',
    'Largest batch    4 × 512 tokens',
    'Recomputed       attention',
    'Memory at peak   2.8 GiB of 8.0 GiB',
    '  base weights   512 MiB (mapped from disk)',
    '  adapter, Adam  1 MiB',
    '  activations    2.0 GiB',
    '  runtime        128 MiB',
  ]);
});

test('what another engine takes is said to be estimated, for each of its processes', () => {
  const rows = renderEstimate({ ...estimate, processes: 2 }).split('\n');
  expect(rows[9]).toMatch(/^ +estimated for each of 2 processes on Accelerate/);
  expect(rows[10]).toBe('  base weights   512 MiB');
});

test('what was inferred from the first rows of streamed data is said to be about so much', () => {
  const train = { ...split, inferredFrom: 400 };
  expect(
    renderEstimate({ ...estimate, train })
      .split('\n')
      .slice(3, 6),
  ).toEqual([
    'Training data    streamed; by the first 400 rows, about 1,200 rows, about 345,678 tokens, about 200,000 supervised',
    'Padding          streamed; by the first 400 rows, 12.3 % of 1,200 rows (2.1 % of 310 rows with data.packing)',
    'Steps            900, of which about 300 make an epoch',
  ]);
});

test.each([
  ['bfloat16x2', 'Products         bfloat16x2'],
  ['auto', 'Products         auto, which tries all modes first'],
] as const)('products in %s are told', (compute, line) => {
  expect(renderEstimate({ ...estimate, compute })).toContain(`\n${line}\n`);
});

test('with packing, what it saves is told', () => {
  const padding = { ...estimate.padding, packing: true };
  expect(renderEstimate({ ...estimate, padding })).toContain(
    'Padding          2.1 % of 310 rows (12.3 % of 1,200 rows without data.packing)',
  );
});

test('what is computed between the steps is told, and that it does not add up', () => {
  const memory = {
    ...estimate.memory,
    answerWeights: 2 ** 28,
    evaluation: 3 * 2 ** 30,
    answers: 2 ** 26,
  };
  const largestEvaluationBatch = { rows: 8, length: 512 };
  const text = renderEstimate({ ...estimate, memory, largestEvaluationBatch, memoryLimit: 1 });
  expect(text.split('\n').slice(-9)).toEqual([
    '  base weights   512 MiB (mapped from disk)',
    '  for answers    256 MiB (mapped from disk)',
    '  adapter, Adam  1 MiB',
    '  activations    2.0 GiB',
    '  evaluation     3.0 GiB (8 × 512 tokens, in place of activations)',
    '  answers        64 MiB (in place of activations)',
    '  runtime        128 MiB',
    '',
    'The run would not fit into memory: lower training.per_device_eval_batch_size or data.max_length.',
  ]);
});

test('weights on a GPU are copied there, those for answers too', () => {
  const memory = { ...estimate.memory, answerWeights: 2 ** 28 };
  const rows = renderEstimate({ ...estimate, memory, device: 'cuda:0' }).split('\n');
  expect(rows).toContain('  base weights   512 MiB (copied to the device)');
  expect(rows).toContain('  for answers    256 MiB (copied to the device)');
});

test('a limit that nobody knows is said to be unknown', () => {
  const { memoryLimit: _, ...others } = estimate;
  const text = renderEstimate(others);
  expect(text).toContain('(how much the device has is not known)');
  expect(text).not.toContain('would not fit');
});

test('held-out rows, warnings and what does not fit are told', () => {
  const text = renderEstimate({
    ...estimate,
    evaluation: { ...split, rows: 7 },
    memoryLimit: 2 ** 30,
    warnings: ['2 rows were cut at max_length.'],
  });
  expect(text).toContain('Held-out data    7 rows');
  expect(text).toContain('would not fit into memory: lower training.per_device_train_batch_size');
  expect(text).toMatch(/\n2 rows were cut at max_length\.$/);
});

test('what is written before the first step is told, and what to do where it does not fit', () => {
  const disk = { needed: 14 * 2 ** 30, room: 100 * 2 ** 30, folder: '/cache' };
  const text = renderEstimate({ ...estimate, disk });
  expect(text).toContain('Disk             14.0 GiB of 100.0 GiB in /cache, written once');
  expect(text).not.toContain('LORAFA_CACHE_DIR');
  const full = renderEstimate({ ...estimate, disk: { ...disk, room: 2 ** 30 } });
  expect(full).toMatch(/would not fit on the disk of \/cache: .* LORAFA_CACHE_DIR/);
});
