import type { DecoderConfig, LayerPart } from '../architectures/decoder-config.ts';
import { expectedTensors } from '../architectures/expected-tensors.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import type { LoraModule } from '../lora/lora-module.ts';
import type { BaseModel } from '../models/base-model.ts';
import type { Trained } from '../step/step-spec.ts';
import type { BatchesQuestion, MemoryEstimate } from './memory.ts';
import { countParameters } from './parameter-count.ts';

/*
 * What a process of Accelerate takes: no graph of ours tells it. It is counted by what PyTorch keeps of a Llama of
 * transformers with PEFT's layers for its backward pass (`torch.autograd.graph.saved_tensors_hooks`), and by what its
 * allocator gives in a step (`torch.profiler`); other families keep about as much.
 */

/** Resident bytes of a Python with torch, transformers, peft and accelerate loaded, measured. */
const PYTHON_BYTES = 800e6;

const FLOAT32_BYTES = 4;
const BFLOAT16_BYTES = 2;

/**
 * Layers that are whole at once in a process that shares the model: one as it was sent, the same as it is computed with,
 * and the one before as it was sent.
 */
const WHOLE_LAYERS = 3;

/** Of a trained number: its gradient and Adam's two moments. */
const COPIES_OF_TRAINED = 3;

/** Of a gated feed-forward part: gate, what the activation makes of it, and what is gated. */
const KEPT_OF_GATED = 3;

/** Of a plain one, the most that an activation keeps: that of GPT-2 is made of several ops. */
const KEPT_OF_PLAIN = 4;

/** What is asked about a process of Accelerate. */
export interface AccelerateQuestion extends Pick<BatchesQuestion, 'shape'> {
  readonly model: Pick<BaseModel, 'config'>;
  readonly trainee: Trained;
  /** Whether it computes on the CPU, where its program lies in the same memory. */
  readonly isOnCpu: boolean;
  /** The batches of an evaluation; absent where there is none. */
  readonly evaluation?: BatchesQuestion | undefined;
}

/** The sections of a configuration that decide about it. */
type AccelerateConfig = Pick<ResolvedConfig, 'lora' | 'training' | 'accelerate'>;

/**
 * Bytes that each process of a run on Accelerate will need at its peak, of which each holds the whole model (DDP) or its
 * rows of every weight, with what it computes with as a whole (FSDP): some layers, and what is around them. Attention
 * keeps no scores (PyTorch's SDPA), and the logits of a whole batch are there at once.
 */
export function accelerateMemory(
  config: AccelerateConfig,
  { model, trainee, isOnCpu, shape, evaluation }: AccelerateQuestion,
): MemoryEstimate {
  const { training, accelerate } = config;
  const isHalf = accelerate.mixed_precision === 'bf16';
  const bytes = isHalf ? BFLOAT16_BYTES : FLOAT32_BYTES;
  const base = countParameters(model.config, [], []).total;
  const { trainable, total } = countParameters(model.config, trainee.modules, trainee.trainable);
  const { num_processes: processes, distributed_type } = accelerate;
  const sharers = distributed_type === 'fsdp' ? processes : 1;
  // Gradients of whole models are added up in memory of their own.
  const copies = COPIES_OF_TRAINED + (processes > sharers ? 1 : 0);
  const tokens = shape.rows * shape.length;
  const { layers, hiddenSize } = model.config;
  const kept = layers.map((layer) => keptOfLayer(layer, trainee.modules, config, bytes));
  // Of an evaluation logits and their softmax, in float32 and before that as they come out of the model; of a step the
  // softmax and the gradients of both.
  const { vocabSize } = model.config;
  const evaluated = (2 * FLOAT32_BYTES + (isHalf ? BFLOAT16_BYTES : 0)) * vocabSize;
  const logits = 3 * FLOAT32_BYTES * vocabSize;
  const atPeak =
    training.gradient_checkpointing === 'layer'
      ? // What goes into each layer, and one that is computed again, with the gradients of its widest values.
        layers.length * bytes * hiddenSize +
        Math.max(logits, ...layers.map(({ mlp }, i) => kept[i]! + bytes * keptOfMlp(mlp)))
      : sum(kept) + logits;
  const { around, layer } = largestParts(model.config);
  const wholeAtOnce =
    bytes * around +
    WHOLE_LAYERS * (bytes * layer + (FLOAT32_BYTES * (total - base)) / layers.length);
  const stays = {
    weights: (bytes * base) / sharers + (sharers > 1 ? wholeAtOnce : 0),
    answerWeights: 0,
    optimizer: (FLOAT32_BYTES * (total - base + copies * trainable)) / sharers,
    runtime: isOnCpu ? PYTHON_BYTES : 0,
  };
  const passes = {
    activations: tokens * atPeak,
    evaluation:
      evaluation === undefined ? 0 : evaluation.shape.rows * evaluation.shape.length * evaluated,
    answers: 0,
  };
  return {
    ...stays,
    ...passes,
    total: sum(Object.values(stays)) + Math.max(...Object.values(passes)),
  };
}

/** Numbers of the base's largest layer, and of what is around its layers. */
function largestParts(config: DecoderConfig): {
  readonly around: number;
  readonly layer: number;
} {
  const tensors = [...expectedTensors(config)];
  const numbersOf = (within: string): number =>
    sum(
      tensors
        .filter(([name]) => name.startsWith(within))
        .map(([, shape]) => shape.reduce((a, b) => a * b, 1)),
    );
  const layers = config.layers.map(({ name }) => numbersOf(`${name}.`));
  return { around: numbersOf('') - sum(layers), layer: Math.max(...layers) };
}

/** Bytes that a layer keeps of each token for its backward pass. */
function keptOfLayer(
  layer: LayerPart,
  modules: readonly LoraModule[],
  { lora, training }: AccelerateConfig,
  bytes: number,
): number {
  const { numHeads, numKeyValueHeads, headDim } = layer.attention;
  const norms = Object.values(layer.norms).filter((norm) => norm !== null);
  const adapted = modules.filter(({ name }) => name.startsWith(`${layer.name}.`));
  // A that is trained needs its input, which the layers beside each other share unless each drops of it.
  const inputs =
    lora.lora_dropout > 0
      ? adapted
      : [...new Map(adapted.map((module) => [inputOf(module), module])).values()];
  const trainsA = training.method === 'lora';
  return (
    // What is normalised, in float32, and by what.
    sum(norms.map(({ size }) => FLOAT32_BYTES * (size + 1))) +
    // Queries and what comes out, keys and values; a sum for each head.
    bytes * 2 * headDim * (numHeads + numKeyValueHeads) +
    FLOAT32_BYTES * numHeads +
    bytes * keptOfMlp(layer.mlp) +
    // What comes out of A; what goes in, and which of it was dropped.
    sum(adapted.map(({ r }) => FLOAT32_BYTES * r)) +
    (trainsA ? bytes * sum(inputs.map(({ inFeatures }) => inFeatures)) : 0) +
    (lora.lora_dropout > 0 ? bytes * sum(adapted.map(({ inFeatures }) => inFeatures)) : 0)
  );
}

/** Layers of one module that take as many features take the same. */
function inputOf({ name, inFeatures }: LoraModule): string {
  return `${name.slice(0, name.lastIndexOf('.'))} ${inFeatures}`;
}

/** Numbers that a feed-forward part keeps of each token. */
function keptOfMlp(mlp: LayerPart['mlp']): number {
  // Experts are refused (`transformers-limit.ts`).
  if (mlp.kind === 'experts') return 0;
  const { kind, down } = mlp;
  return down.inFeatures * (kind === 'plain' ? KEPT_OF_PLAIN : KEPT_OF_GATED);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
