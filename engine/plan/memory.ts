import type { Recompute } from '../architectures/decoder-graph.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { DeviceArena } from '../graph/arena.ts';
import { numElements } from '../graph/dim.ts';
import type { Graph } from '../graph/graph.ts';
import { ON_CUDA, peakBytes, runWith } from '../graph/liveness.ts';
import type { BaseModel } from '../models/base-model.ts';
import { attentionThreads } from '../runtime/attention-shares.ts';
import { CPU, type Device, hasOwnMemory } from '../runtime/device.ts';
import { physicalCores } from '../runtime/physical-cores.ts';
import type { StepSpec } from '../step/step-spec.ts';
import { MAX_SESSIONS, type TrainingShape, trainingGraph } from '../step/training-graph.ts';
import { isBfloat16Mode } from '../weights/compute-mode.ts';
import type { WeightStore } from '../weights/weight-store.ts';
import { answersMemory, cacheMemory, evaluationMemory } from './memory-beside-steps.ts';

/** What a run needs to know about itself to estimate its memory. */
export interface MemoryQuestion extends StepSpec, BatchesQuestion {
  /** The shapes of other batches, the largest first; none unless given. */
  readonly others?: readonly TrainingShape[];
  readonly recompute: Recompute;
  /** Whose memory it is; the host's unless given. */
  readonly device?: Device;
  /** CPU threads; 0 takes one per physical core. One unless given. */
  readonly threads?: number;
  /** The batches of an evaluation; absent where there is none. */
  readonly evaluation?: BatchesQuestion | undefined;
  /** The answers to a run's prompts; absent where there are none. */
  readonly answers?: AnswersQuestion | undefined;
}

/** Batches that are put through the model. */
export interface BatchesQuestion {
  /** The largest of them. */
  readonly shape: TrainingShape;
  /** Lengths that they have; many unless given. */
  readonly lengths?: number;
}

/** What `training.sample_prompts` asks. */
export interface AnswersQuestion {
  /** What answers: its weights are those that are trained on, or others that are mapped beside them. */
  readonly model: Pick<BaseModel, 'config' | 'weights'>;
  /** Tokens of the longest prompt. */
  readonly promptTokens: number;
}

/**
 * Bytes that a training process will need at its peak. A step, an evaluation and an answer are never
 * computed at the same time, and the largest of the three counts; all else stays for the whole run.
 */
export interface MemoryEstimate {
  /** Base weights: mapped from disk, so the system may drop and read them again at need. */
  readonly weights: number;
  /** The same for weights that only answers are made with. */
  readonly answerWeights: number;
  /** Trained tensors and frozen A matrices, gradients, Adam's two moments. */
  readonly optimizer: number;
  /** What ONNX Runtime takes for values of the step graph at one time. */
  readonly activations: number;
  /** The same of an evaluation; 0 where there is none. */
  readonly evaluation: number;
  /** The same of an answer, and the keys and values of its text; 0 where there is none. */
  readonly answers: number;
  /** Node, ONNX Runtime and the graphs themselves; on a CUDA device, small things and what lies unused between blocks of memory. */
  readonly runtime: number;
  readonly total: number;
}

/** Resident bytes of a process with ONNX Runtime and the engine's code loaded, measured. */
const PROCESS_BYTES = 120e6;

/** Resident bytes of oneDNN, which multiplies in bfloat16, and of its kernels, measured. */
const ONEDNN_BYTES = 20e6;

/** Resident bytes of a thread that computes attention in bfloat16 beside the main one, measured. */
const ATTENTION_THREAD_BYTES = 23e6;

/** Bytes of a tokenizer for one entry of its vocabulary, measured. */
const BYTES_PER_VOCABULARY_ENTRY = 800;

/** Bytes that ONNX Runtime and the engine keep for one node of a graph, measured. */
const BYTES_PER_NODE = 4e3;

/** Batches of one length may differ in how many of their tokens have a loss. */
const SHAPES_PER_LENGTH = 2;

/** Beside the inputs of a step, sums of gradients among them: Adam's two moments, and what was measured to lie about. */
const COPIES_OF_TRAINED = 2.5;

/** The same on a device that keeps the state of a run: nothing lies about there. */
const MOMENTS = 2;

/** With WebGPU, where an update is not written over what it reads: a second place for weights, sums and moments. */
const SECOND_PLACES = 4;

/**
 * Shapes of batches that are gone through beside the largest: four lengths, where the configuration leaves padding open,
 * each with a last batch of fewer rows. Each takes half a second of a processor for 1.1 billion weights.
 */
const MOST_SHAPES = 7;

/** Bytes of small things on a device: constants of graphs, batches, zeros that gradients are set to. */
const DEVICE_BYTES = 3e5;

/** Estimates a training run's peak memory from its graphs, with ONNX Runtime's plan of buffers over the order of their nodes. */
export function estimateMemory(
  question: MemoryQuestion,
  beside: MemoryBesideSteps = memoryBesideSteps(question),
): MemoryEstimate {
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
  const passes = {
    activations: bytesToRun([graph], question.device),
    evaluation: beside.evaluation,
    answers: beside.answers,
  };
  const most = Math.max(...Object.values(passes));
  const stays = {
    weights: question.trainBase ? 0 : bytesOfWeights(question.model.weights, question.device),
    answerWeights: beside.answerWeights,
    optimizer: inputs + copiesOfTrained(question.device) * trained,
    runtime: keepsState(question.device)
      ? DEVICE_BYTES + bytesBetweenBlocks(question, graph, beside, most)
      : PROCESS_BYTES +
        (isBfloat16Mode(question.model.weights.compute) ? bytesOfOnednn(graph, question) : 0) +
        BYTES_PER_VOCABULARY_ENTRY * question.model.config.vocabSize +
        BYTES_PER_NODE * (sessionsOf(question) * graph.values.length + beside.nodes),
  };
  return { ...stays, ...passes, total: sum(stays) + most };
}

/** The parts of a {@link MemoryEstimate} that do not depend on what a step computes again. */
interface MemoryBesideSteps
  extends Pick<MemoryEstimate, 'answerWeights' | 'evaluation' | 'answers'> {
  /** Nodes of all loaded graphs. */
  readonly nodes: number;
  /** Those that a run computes. */
  readonly graphs: readonly Graph[];
}

function memoryBesideSteps(question: MemoryQuestion | StepQuestion): MemoryBesideSteps {
  const { evaluation, answers, model } = question;
  const evaluated = evaluation && evaluationMemory(question, evaluation.shape);
  const answered = answers && answersMemory(question.modules, answers, question.device);
  const hasOwnWeights =
    answers !== undefined && answers.model.weights.tensors !== model.weights.tensors;
  return {
    answerWeights: hasOwnWeights ? bytesOfWeights(answers.model.weights, question.device) : 0,
    evaluation: evaluated?.bytes ?? 0,
    answers: answered?.bytes ?? 0,
    nodes:
      (evaluated ? sessionsOf(evaluation!) * evaluated.graph.values.length : 0) +
      (answered?.graph.values.length ?? 0),
    graphs: [evaluated, answered].flatMap((pass) => (pass === undefined ? [] : [pass.graph])),
  };
}

function bytesOfOnednn(graph: Graph, { threads = 1 }: Pick<MemoryQuestion, 'threads'>): number {
  const all = attentionThreads(graph, threads === 0 ? physicalCores() : threads);
  return ONEDNN_BYTES + (all - 1) * ATTENTION_THREAD_BYTES;
}

/** What values of a graph take while it runs: on a device, what its arena takes for them. */
function bytesToRun(graphs: Iterable<Graph>, device: Device | undefined): number {
  if (!keepsState(device)) return Math.max(...[...graphs].map(peakBytes));
  const arena = new DeviceArena();
  // The second run finds what the first one left in pieces.
  for (const graph of graphs) for (let run = 0; run < 2; run++) runWith(graph, arena, ON_CUDA);
  return arena.bytes;
}

/**
 * What the arena that all sessions of a CUDA device share has grown to when each shape of a run was computed, beyond what
 * the largest of them takes alone: blocks that are too small for a tensor are of no use to it.
 *
 * @param graph of the largest batch
 * @param most bytes that the largest takes
 */
function bytesBetweenBlocks(
  question: MemoryQuestion,
  graph: Graph,
  { graphs }: MemoryBesideSteps,
  most: number,
): number {
  if (question.device?.kind !== 'cuda') return 0;
  const others = (question.others ?? [])
    .slice(0, MOST_SHAPES)
    .map((shape) => trainingGraph({ ...question, shape }));
  if (others.length + graphs.length === 0) return 0;
  // A run evaluates before its first step.
  const all = [...graphs, graph, ...others];
  return Math.max(0, bytesToRun(all, question.device) - most);
}

/** Whether a device has state and caches in memory of its own. */
function keepsState(device: Device = CPU): boolean {
  return hasOwnMemory(device);
}

function sessionsOf({ lengths = MAX_SESSIONS }: BatchesQuestion): number {
  return Math.min(MAX_SESSIONS, SHAPES_PER_LENGTH * lengths);
}

function copiesOfTrained(device: Device = CPU): number {
  if (device.kind === 'webgpu') return MOMENTS + SECOND_PLACES;
  return keepsState(device) ? MOMENTS : COPIES_OF_TRAINED;
}

/** WebGPU has 16-bit weights widened to float32. */
function bytesOfWeights({ tensors }: WeightStore, device: Device = CPU): number {
  const isWidened = (dtype: string): boolean =>
    device.kind === 'webgpu' && (dtype === 'F16' || dtype === 'BF16');
  return [...tensors.values()].reduce(
    (bytes, { length, dtype }) => bytes + (isWidened(dtype) ? 2 : 1) * length,
    0,
  );
}

function sum(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((bytes, part) => bytes + part, 0);
}

/** Everything that decides about memory but what a step computes again. */
export type StepQuestion = Omit<MemoryQuestion, 'recompute'>;

/** Bytes that stay, whatever is computed at the moment. */
export function standingBytes({ total, activations, evaluation, answers }: MemoryEstimate): number {
  return total - Math.max(activations, evaluation, answers);
}

/**
 * Bytes that a run keeps on a CUDA device, beside the arena that its sessions compute in, where the caches of answers do
 * not lie.
 */
export function bytesKept(question: StepQuestion): number {
  const { answers } = question;
  const caches = answers === undefined ? 0 : cacheMemory(answers, question.device);
  const { weights, answerWeights, optimizer } = estimateMemory({
    ...question,
    others: [],
    recompute: 'layer',
  });
  return weights + answerWeights + optimizer + DEVICE_BYTES + caches;
}

const FROM_LEAST: readonly Recompute[] = ['none', 'attention', 'layer'];

/**
 * The least recompute with which the steps of a run fit into memory; the most there is where none
 * fits. Evaluations and answers need what they need.
 *
 * @param limit bytes
 */
export function leastRecompute(question: StepQuestion, limit: number): Recompute {
  const beside = memoryBesideSteps(question);
  const fits = (recompute: Recompute): boolean => {
    const estimate = estimateMemory({ ...question, recompute }, beside);
    return standingBytes(estimate) + estimate.activations <= limit;
  };
  return FROM_LEAST.find(fits) ?? 'layer';
}

/**
 * The setting, or for `auto` the least recompute that fits into the memory that is allowed.
 *
 * @param limit bytes; where it is not known, all is computed again that can be
 */
export function chooseRecompute(
  { training }: Pick<ResolvedConfig, 'training'>,
  question: StepQuestion,
  limit: number | undefined,
): Recompute {
  if (training.gradient_checkpointing !== 'auto') return training.gradient_checkpointing;
  return limit === undefined ? 'layer' : leastRecompute(question, limit);
}

/**
 * Bytes that a run may use: the setting, or what there is.
 *
 * @param available what the device can give now; undefined where nobody tells
 */
export function memoryLimit<T extends number | undefined>(
  { max_memory_gib }: ResolvedConfig['engine'],
  available: T,
): number | T {
  return max_memory_gib === undefined ? available : max_memory_gib * 2 ** 30;
}
