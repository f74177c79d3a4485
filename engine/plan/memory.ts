import type { ResolvedConfig } from '../config/schema.ts';
import { numElements } from '../graph/dim.ts';
import { peakBytes } from '../graph/liveness.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import type { BaseModel } from '../models/base-model.ts';
import type { Recompute } from '../models/decoder.ts';
import { MAX_SESSIONS, type TrainingShape, trainingGraph } from '../train/training-graph.ts';

/** What a run needs to know about itself to estimate its memory. */
export interface MemoryQuestion {
  readonly model: Pick<BaseModel, 'config' | 'weights'>;
  readonly modules: readonly LoraModule[];
  /** Trained tensors by the names of their graph inputs. */
  readonly trainable: readonly string[];
  readonly trainBase: boolean;
  readonly dropout: number;
  readonly recompute: Recompute;
  /** The largest batch of the run. */
  readonly shape: TrainingShape;
  /** As in `TrainingGraphOptions`. */
  readonly packing?: boolean;
  /** Lengths that the batches of the run have; many unless given. */
  readonly lengths?: number;
}

/** Bytes that a training process will need at its peak. */
export interface MemoryEstimate {
  /** Base weights: mapped from disk, so the system may drop and read them again at need. */
  readonly weights: number;
  /** Trained tensors and frozen A matrices, gradients, Adam's two moments. */
  readonly optimizer: number;
  /** Values of the step graph that are alive at one time. */
  readonly activations: number;
  /** Node, ONNX Runtime and the graphs themselves. */
  readonly runtime: number;
  readonly total: number;
}

/** Resident bytes of a process with ONNX Runtime and the engine's code loaded, measured. */
const PROCESS_BYTES = 120e6;

/** Bytes of a tokenizer for one entry of its vocabulary, measured. */
const BYTES_PER_VOCABULARY_ENTRY = 800;

/** Bytes that ONNX Runtime and the engine keep for one node of a graph, measured. */
const BYTES_PER_NODE = 4e3;

/** Batches of one length may differ in how many of their tokens have a loss. */
const SHAPES_PER_LENGTH = 2;

/**
 * The gradients and Adam's two moments; then what lies about until it is collected: copies of what
 * a step returns, gradients, and of what an update returns, weights and moments.
 */
const COPIES_OF_TRAINED = 7;

/** Estimates a training run's peak memory from its graph: liveness over the order of the nodes. */
export function estimateMemory(question: MemoryQuestion): MemoryEstimate {
  const graph = trainingGraph(question);
  const trainable = new Set(question.trainable);
  let inputs = 0;
  let trained = 0;
  for (const value of graph.values) {
    if (value.op !== 'input' || value.dtype !== 'float32') continue;
    const bytes = 4 * Number(numElements(value.shape));
    inputs += bytes;
    if (trainable.has(value.name)) trained += bytes;
  }
  const weights = [...question.model.weights.tensors.values()].reduce(
    (sum, { length }) => sum + length,
    0,
  );
  const sessions = Math.min(MAX_SESSIONS, SHAPES_PER_LENGTH * (question.lengths ?? MAX_SESSIONS));
  const parts = {
    weights: question.trainBase ? 0 : weights,
    optimizer: inputs + COPIES_OF_TRAINED * trained,
    activations: peakBytes(graph),
    runtime:
      PROCESS_BYTES +
      BYTES_PER_VOCABULARY_ENTRY * question.model.config.vocabSize +
      sessions * BYTES_PER_NODE * graph.values.length,
  };
  const total = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  return { ...parts, total };
}

const FROM_LEAST: readonly Recompute[] = ['none', 'attention', 'layer'];

/**
 * The least recompute with which a run fits into memory; the most there is where none fits.
 *
 * @param limit bytes
 */
export function leastRecompute(
  question: Omit<MemoryQuestion, 'recompute'>,
  limit: number,
): Recompute {
  return (
    FROM_LEAST.find((recompute) => estimateMemory({ ...question, recompute }).total <= limit) ??
    'layer'
  );
}

/**
 * The setting, or for `auto` the least recompute that fits into the memory that is allowed.
 *
 * @param limit bytes
 */
export function chooseRecompute(
  { training, engine }: Pick<ResolvedConfig, 'training' | 'engine'>,
  question: Omit<MemoryQuestion, 'recompute'>,
  limit: number = memoryLimit(engine),
): Recompute {
  return training.gradient_checkpointing === 'auto'
    ? leastRecompute(question, limit)
    : training.gradient_checkpointing;
}

/** Bytes that a run may use: the setting, or what this machine can give now. */
export function memoryLimit({ max_memory_gib }: ResolvedConfig['engine']): number {
  return max_memory_gib === undefined ? process.availableMemory() : max_memory_gib * 2 ** 30;
}
