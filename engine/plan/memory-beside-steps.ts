import { cacheBytes, cacheSlots } from '../generate/cache-size.ts';
import { generationGraph } from '../generate/generation-graph.ts';
import { LARGEST_CHUNK } from '../generate/generation-runs.ts';
import { peakBytes } from '../graph/liveness.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import { CPU, type Device } from '../runtime/device.ts';
import { evaluationSpec, type StepSpec } from '../step/step-spec.ts';
import { type TrainingShape, trainingGraph } from '../step/training-graph.ts';
import { inBfloat16 } from '../weights/bfloat16-weights.ts';
import type { AnswersQuestion } from './memory.ts';
import { MAX_NEW_TOKENS } from './sample-prompts.ts';

/** What a graph takes: while it computes, and as long as it is loaded. */
export interface PassMemory {
  /** Bytes that are alive at one time. */
  readonly bytes: number;
  readonly nodes: number;
}

/**
 * How many times the keys and values of a text are in memory. On the CPU the cache that a grown one takes the place of,
 * half as large, waits for the collector; devices grow it tensor by tensor, and WebGPU writes what is read to a second place.
 */
const COPIES_OF_CACHE = { cpu: 1, cuda: 1, webgpu: 2 } as const;

/** An evaluation of batches up to a shape: a forward pass that keeps nothing for gradients. */
export function evaluationMemory(spec: StepSpec, shape: TrainingShape): PassMemory {
  const graph = trainingGraph({ ...evaluationSpec(spec), shape, recompute: 'none' });
  return { bytes: peakBytes(graph), nodes: graph.values.length };
}

/**
 * The answer to the longest prompt: its last chunk over a cache that holds the whole text.
 */
export function answersMemory(
  modules: readonly LoraModule[],
  { model, promptTokens }: AnswersQuestion,
  device: Device = CPU,
): PassMemory {
  const { config } = model;
  const slots = cacheSlots(config, promptTokens + MAX_NEW_TOKENS);
  const sequence = Math.min(promptTokens, LARGEST_CHUNK);
  // Where the processor multiplies no bfloat16 numbers, one weight more is there, upcast.
  const answering = { config, weights: inBfloat16(config, model.weights) ?? model.weights };
  const sizes = { sequence, past: slots, rows: 1 };
  const graph = generationGraph(answering, modules, sizes, device.kind === 'cpu');
  const isGrown = slots > cacheSlots(config, 1);
  const copies = device.kind === 'cpu' && isGrown ? 1.5 : COPIES_OF_CACHE[device.kind];
  return {
    bytes: peakBytes(graph) + copies * cacheBytes(config, slots),
    nodes: graph.values.length,
  };
}
