import { expect, test } from 'vitest';
import type { RunEstimate } from '../../../engine/plan/estimate-run.ts';
import { estimateMarkdown } from '../../../extension/estimate/estimate-markdown.ts';
import type { EstimateTexts } from '../../../extension/estimate/estimate-texts.ts';

/** Every text is its own key. */
const texts = new Proxy({} as EstimateTexts, { get: (_, key) => String(key) });

const GIB = 2 ** 30;

function estimate(changes: Partial<RunEstimate> = {}): RunEstimate {
  return {
    model: 'base',
    device: 'cuda:0',
    parameters: { trainable: 2_000, total: 100_000 },
    train: { rows: 12, tokens: 3_456, supervisedTokens: 1_234, truncatedRows: 0, droppedRows: 0 },
    padding: {
      packing: false,
      unpacked: { rows: 1200, paddingWaste: 0.1234 },
      packed: { rows: 310, paddingWaste: 0.021 },
    },
    stepsPerEpoch: 6,
    steps: 18,
    largestBatch: { rows: 2, length: 1_024 },
    gradientCheckpointing: 'layer',
    compute: 'int8',
    memory: {
      weights: GIB,
      answerWeights: 0,
      optimizer: GIB / 2,
      activations: 2 * GIB,
      evaluation: 0,
      answers: 0,
      runtime: GIB / 2,
      total: 4 * GIB,
    },
    memoryLimit: 8 * GIB,
    warnings: [],
    ...changes,
  };
}

test('what another engine takes is said to be an estimate', () => {
  const markdown = estimateMarkdown('a', estimate({ processes: 2 }), undefined, texts);
  expect(markdown).toContain('\n\nofProcesses ofCuda\n\n');
  expect(markdown).toContain('| weights | 1.0 GiB |');
  expect(estimateMarkdown('a', estimate(), undefined, texts)).not.toContain('ofProcess');
  const alone = estimate({ processes: 1, device: 'cpu' });
  expect(estimateMarkdown('a', alone, undefined, texts)).toContain('\n\nofProcess\n\n');
});

test.each([
  ['cpu', 'mapped'],
  ['cuda:0', 'copied'],
  ['webgpu', 'copied'],
])('where the weights lie is told for %s', (device, place) => {
  const memory = { ...estimate().memory, answerWeights: GIB / 2 };
  const markdown = estimateMarkdown('a', estimate({ device, memory }), undefined, texts);
  expect(markdown).toContain(
    `| weights, ${place} | 1.0 GiB |\n| answerWeights, ${place} | 512 MiB |`,
  );
});

test('the verdict comes first, then what it is made of', () => {
  const markdown = estimateMarkdown('first.lorafa.json', estimate(), undefined, texts);
  expect(markdown).toContain('✓ fits 4.0 GiB needed, 8.0 GiB available');
  expect(markdown).toContain('| activations | 2.0 GiB |');
  expect(markdown).toContain('| device | cuda:0 |\n| steps | 18 |');
  expect(markdown).toContain('| compute | int8 |');
  expect(markdown).toContain('| tokens | 3,456 (1,234) |');
  expect(markdown).toContain('| padding | 12.3 % |\n| paddingPacked | 2.1 % |');
  expect(markdown).not.toContain('## warnings');
});

test('what is written before the first step is told with the room for it', () => {
  const disk = { needed: 14 * GIB, room: 100 * GIB, folder: '/cache' };
  const markdown = (changes: Partial<RunEstimate>) =>
    estimateMarkdown('x', estimate(changes), undefined, texts);
  expect(markdown({ disk })).toContain(
    '## disk\n\n✓ writtenOnce **14.0 GiB**, room 100.0 GiB (/cache)',
  );
  expect(markdown({ disk: { ...disk, room: GIB } })).toContain('✗ writtenOnce');
  expect(markdown({})).not.toContain('## disk');
});

test('what was inferred from the first rows is not told as a fact', () => {
  const known = { ...texts, about: 'about {0}', inferred: 'of {0}' } as EstimateTexts;
  const all = new Proxy(known, { get: (own, key) => Reflect.get(own, key) ?? String(key) });
  const { train } = estimate();
  const markdown = estimateMarkdown(
    'x',
    estimate({ train: { ...train, inferredFrom: 4096 } }),
    undefined,
    all,
  );
  expect(markdown).toContain('| steps | 18 |\n| stepsPerEpoch | about 6 |');
  expect(markdown).toContain('| rows | about 12 |\n| tokens | about 3,456 (about 1,234) |');
  expect(markdown).toMatch(/\| padding \| about [\d.]+ % \|\n\| padding\w+ \| about /);
  expect(markdown).toContain('\n\nof 4,096\n');
  expect(estimateMarkdown('x', estimate(), undefined, all)).not.toMatch(/about|of 4,096/);
});

test('the rows that are held out for evaluation are told apart', () => {
  const evaluation = { rows: 3, tokens: 900, supervisedTokens: 300 };
  const split = { ...evaluation, truncatedRows: 0, droppedRows: 0 };
  const markdown = estimateMarkdown('x', estimate({ evaluation: split }), undefined, texts);
  expect(markdown).toContain('| rows | 12 |');
  expect(markdown).toContain('| evaluationRows | 3 |');
  expect(markdown).toContain('| evaluationTokens | 900 (300) |');
});

test('what is computed between the steps is told where there is any', () => {
  expect(estimateMarkdown('x', estimate(), undefined, texts)).not.toMatch(
    /evaluation|answer|largestCounts/i,
  );
  const { memory } = estimate();
  const markdown = estimateMarkdown(
    'x',
    estimate({
      memory: { ...memory, answerWeights: GIB, evaluation: 3 * GIB, answers: GIB / 4 },
      largestEvaluationBatch: { rows: 8, length: 1_024 },
    }),
    undefined,
    texts,
  );
  expect(markdown).toContain('| answerWeights, copied | 1.0 GiB |');
  expect(markdown).toContain(
    '| activations | 2.0 GiB |\n| evaluation | 3.0 GiB |\n| answers | 256 MiB |',
  );
  expect(markdown).toContain('| largestEvaluationBatch | 8 × 1,024 |');
  expect(markdown).toContain('largestCounts');
});

test('a run that does not fit says so; warnings cannot break out of their list', () => {
  const changes = { memoryLimit: 3 * GIB, warnings: ['1 row was cut (a_b.jsonl:3: <b>\nlong)'] };
  const markdown = estimateMarkdown('x', estimate(changes), undefined, texts);
  expect(markdown).toContain('✗ doesNotFit 4.0 GiB needed, 3.0 GiB available');
  expect(markdown).toContain('- 1 row was cut (a\\_b.jsonl:3: \\<b\\> long)');
});

test('a limit that nobody knows is no verdict', () => {
  const { memoryLimit: _, ...others } = estimate();
  const markdown = estimateMarkdown('x', others, undefined, texts);
  expect(markdown).toContain('\n\n4.0 GiB needed. limitUnknown\n\n');
});

test('how long it trains, and how that is known', () => {
  expect(estimateMarkdown('x', estimate(), undefined, texts)).toContain('\n\ntimeUnknown\n\n');
  const time = { seconds: 754, tokensPerSecond: 3_456.7, source: 'as run_2' };
  const markdown = estimateMarkdown('x', estimate(), time, texts);
  expect(markdown).toContain(
    'time **12 min 34 s** (as run\\_2, 3,457 tokensPerSecond). timeOfSteps',
  );
});
