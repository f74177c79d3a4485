import type { ComputeMode } from '../../engine/weights/compute-mode.ts';
import type { ModelShape } from '../bench/model-shapes.ts';
import type { Settings } from '../bench/run-config.ts';

/** One kind of step that is measured. */
export interface StepCase {
  readonly name: string;
  readonly shape: ModelShape;
  readonly rows: number;
  readonly length: number;
  readonly isNf4: boolean;
  readonly compute: ComputeMode;
  readonly captures: boolean;
  /** On top of those of all benchmarks. */
  readonly settings: Settings;
}

/** The check that trains the demo. */
export const DEMO = 'demo';

/** Batches whose steps are measured. */
const BATCHES = [
  { name: 'tiny-1x256', shape: 'tiny', rows: 1, length: 256 },
  { name: '135m-4x512', shape: '135m', rows: 4, length: 512 },
  { name: '1.1b-1x512', shape: '1.1b', rows: 1, length: 512 },
  { name: '8b-1x512', shape: '8b', rows: 1, length: 512 },
] as const;

/** What differs between the steps over one batch. */
const VARIANTS: readonly (Pick<StepCase, 'settings'> & {
  readonly name: string;
  readonly isNf4?: true;
  readonly compute?: ComputeMode;
  readonly isPlain?: true;
})[] = [
  { name: 'lorafa', settings: {} },
  { name: 'lorafa-uncaptured', settings: {}, isPlain: true },
  { name: 'lorafa-layer', settings: { 'training.gradient_checkpointing': 'layer' } },
  { name: 'lorafa-packed', settings: { 'data.packing': true } },
  { name: 'lorafa-bfloat16', settings: {}, compute: 'bfloat16' },
  { name: 'lorafa-bfloat16-uncaptured', settings: {}, compute: 'bfloat16', isPlain: true },
  {
    name: 'lorafa-bfloat16-layer',
    settings: { 'training.gradient_checkpointing': 'layer' },
    compute: 'bfloat16',
  },
  { name: 'lorafa-tf32', settings: { 'engine.device': 'cuda:0', 'engine.tf32': true } },
  { name: 'lorafa-nf4', settings: {}, isNf4: true },
  {
    name: 'lorafa-nf4-layer',
    settings: { 'training.gradient_checkpointing': 'layer' },
    isNf4: true,
  },
  { name: 'lorafa-nf4-bfloat16', settings: {}, isNf4: true, compute: 'bfloat16' },
  {
    name: 'lorafa-nf4-bfloat16-layer',
    settings: { 'training.gradient_checkpointing': 'layer' },
    isNf4: true,
    compute: 'bfloat16',
  },
  { name: 'lora', settings: { 'training.method': 'lora' } },
];

/** All steps, the smallest models first. */
export const STEP_CASES: readonly StepCase[] = BATCHES.flatMap(({ name, ...batch }) =>
  VARIANTS.map(
    ({ name: variant, settings, isNf4 = false, isPlain = false, compute = 'float32' }) => ({
      ...batch,
      name: `${name}-${variant}`,
      isNf4,
      compute,
      captures: !isPlain,
      settings,
    }),
  ),
);

/** Steps that are computed on the CPU as well, with small models whose weights have values. */
export interface ParityCase extends StepCase {
  readonly steps: number;
}

const TINY = {
  shape: 'tiny',
  rows: 2,
  length: 128,
  compute: 'float32',
  settings: { 'training.learning_rate': 1e-3 },
} as const;

export const PARITY_CASES: readonly ParityCase[] = [
  { ...TINY, name: 'parity-captured', isNf4: false, captures: true, steps: 20 },
  { ...TINY, name: 'parity-uncaptured', isNf4: false, captures: false, steps: 20 },
  {
    ...TINY,
    name: 'parity-bfloat16',
    isNf4: false,
    compute: 'bfloat16',
    captures: true,
    steps: 1,
  },
  {
    ...TINY,
    name: 'parity-nf4-bfloat16',
    isNf4: true,
    compute: 'bfloat16',
    captures: true,
    steps: 1,
  },
  { ...TINY, name: 'parity-nf4', isNf4: true, captures: true, steps: 20 },
];
