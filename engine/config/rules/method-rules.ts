import type { Given } from '../given.ts';
import type { PathProblem } from '../path-problem.ts';
import { namedKind } from './engine-rules.ts';
import { problem, type Rule } from './rule.ts';

/** CUDA bounds what a run takes; elsewhere memory decides only what is recomputed, where that is left to the engine. */
export const memoryRule: Rule = (given) => {
  const setting = given('training', 'gradient_checkpointing') ?? 'auto';
  const mayBeCuda = [undefined, 'cuda'].includes(namedKind(given));
  return mayBeCuda || setting === 'auto' || given('engine', 'max_memory_gib') === undefined
    ? []
    : [
        problem(
          ['engine', 'max_memory_gib'],
          '`engine.max_memory_gib` has an effect only with `training.gradient_checkpointing` "auto" or on CUDA; remove it',
        ),
      ];
};

/** Quantized weights stay as they are, and their settings are for them alone. */
export const quantizationRule: Rule = (given) => {
  if (given('model', 'quantization') !== 'nf4') {
    return given('model', 'use_double_quant') !== true
      ? []
      : [
          problem(
            ['model', 'use_double_quant'],
            '`model.use_double_quant` has an effect only with `model.quantization` "nf4"; remove it or choose that quantization',
          ),
        ];
  }
  return given('training', 'method') === 'full'
    ? [
        problem(
          ['model', 'quantization'],
          '`model.quantization` "nf4" cannot be trained with the method "full", which changes the weights themselves; remove it or use the method "lorafa"',
        ),
      ]
    : [];
};

/** Products in eight bits are with frozen weights, which are made of those that the model has. */
export const computeRule: Rule = (given) => {
  const compute = given('engine', 'compute') ?? 'float32';
  if (typeof compute !== 'string' || compute === 'float32') return [];
  if (given('model', 'quantization') === 'nf4') {
    const isOnCuda = compute === 'bfloat16' || compute === 'auto';
    if (isOnCuda && namedKind(given) === 'cuda') return [];
    const wayOut = isOnCuda
      ? 'remove one of the two, or set `engine.device` to "cuda"'
      : 'remove one of the two';
    return [
      problem(
        ['engine', 'compute'],
        `\`engine.compute\` "${compute}" cannot be had with \`model.quantization\` "nf4", whose weights are in four bits; ${wayOut}`,
      ),
    ];
  }
  return given('training', 'method') === 'full'
    ? [
        problem(
          ['engine', 'compute'],
          `\`engine.compute\` "${compute}" cannot be had with the method "full", which changes the weights at every step; remove it or use the method "lorafa"`,
        ),
      ]
    : [];
};

/** Full fine-tuning has no adapter. */
export function fullMethodRule(given: Given, loraKeys: readonly string[]): readonly PathProblem[] {
  if (given('training', 'method') !== 'full') return [];
  return loraKeys.map((key) =>
    problem(
      ['lora', key],
      `\`lora.${key}\` has no effect with the method "full", which trains every weight and no adapter; remove it`,
    ),
  );
}

/** An adapter that exists brings its own shape. */
export function initAdapterRule(given: Given, loraKeys: readonly string[]): readonly PathProblem[] {
  if (given('lora', 'init_adapter') === undefined || given('training', 'method') === 'full') {
    return [];
  }
  return loraKeys
    .filter((key) => key !== 'init_adapter' && key !== 'lora_dropout')
    .map((key) =>
      problem(
        ['lora', key],
        `\`lora.${key}\` is decided by the adapter in \`lora.init_adapter\`; remove one of the two`,
      ),
    );
}
