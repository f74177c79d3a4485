import { median } from '../../engine/median.ts';
import { Random } from '../../engine/random.ts';
import type { RunMeasurement } from '../bench/measure-run.ts';
import { runMeasurement } from '../bench/measuring-process.ts';
import { MODEL_SHAPES } from '../bench/model-shapes.ts';
import { type PeftRequest, peftStepProgram } from '../bench/peft-program.ts';
import type { StepCase } from './cases.ts';
import type { PeftResult } from './results.ts';

/** The same step in PEFT. */
export interface PeftCase extends Pick<StepCase, 'name' | 'shape' | 'rows' | 'length' | 'isNf4'> {
  readonly method: PeftRequest['method'];
  /** What weights are in and what is computed in. */
  readonly precision: 'float32' | 'bfloat16';
  readonly gradientCheckpointing: boolean;
}

const PRECISIONS = ['float32', 'bfloat16'] as const;

/** Steps before those that are measured, and those. */
const [WARM_UP, TIMED] = [2, 10];

/**
 * What PEFT has of a step, each once: it captures nothing and packs no rows, and in what it multiplies is its own
 * precision.
 */
export function peftCases({ settings, captures, compute, ...step }: StepCase): readonly PeftCase[] {
  const isOwn = !captures || compute !== 'float32' || settings['engine.tf32'] === true;
  if (isOwn || settings['data.packing'] === true) return [];
  return PRECISIONS.map((precision) => ({
    ...step,
    name: `${step.name}-peft-${precision}`,
    precision,
    method: settings['training.method'] === 'lora' ? 'lora' : 'lorafa',
    gradientCheckpointing: settings['training.gradient_checkpointing'] === 'layer',
  }));
}

/**
 * Measures PEFT in a process of its own.
 *
 * @param python an interpreter with torch, transformers and peft, for NF4 with bitsandbytes
 * @throws Error with its last words where it fails
 */
export async function measurePeft(
  { name, shape, rows, length, ...settings }: PeftCase,
  python: string,
  device: PeftRequest['device'],
): Promise<PeftResult> {
  const random = new Random(7);
  const model = MODEL_SHAPES[shape];
  const ids = () => Array.from({ length }, () => random.below(model.vocab_size));
  const program = peftStepProgram(python, {
    ...{ measures: 'steps', model, device, steps: WARM_UP + TIMED, ...settings },
    inputIds: Array.from({ length: rows }, ids),
  });
  const { result } = await runMeasurement<RunMeasurement & { readonly deviceBytes: number | null }>(
    program,
    new AbortController().signal,
  );
  const step_ms = median(result.stepMs.slice(WARM_UP));
  return {
    name,
    ...(result.deviceBytes !== null && { peak_bytes: result.deviceBytes }),
    step_ms,
    tokens_per_second: (rows * length) / (step_ms / 1000),
  };
}
