import { numElements, sizeOf } from './dim.ts';
import { DTYPE_BYTES } from './dtype.ts';
import { countUses, type Graph } from './graph.ts';
import type { OpName } from './op.ts';
import { blockScores } from './ops/attention.ts';
import { isOp, type Value } from './value.ts';

/** Ops whose output is their input under another shape: ONNX Runtime copies nothing. */
const VIEWS: ReadonlySet<OpName> = new Set(['reshape']);

/** Where values of a graph get their memory from. */
export interface BufferPolicy {
  /** Ops that are computed over an input of the same shape that is not needed later. */
  readonly inPlace: ReadonlySet<OpName>;
  /** Whether memory that is not needed any more is kept for the next value of its shape. */
  readonly keeps: boolean;
}

/** ONNX Runtime on the CPU. What its kernels compute in place was measured: an `Add` or an `Exp` is not. */
export const ON_CPU: BufferPolicy = {
  inPlace: new Set(['sigmoid', 'tanh', 'softmax', 'addMatmulBfloat16', 'addMatmul']),
  keeps: true,
};

/** The same on CUDA devices, whose kernels for two inputs, and for softmax, always have an output of their own. */
export const ON_CUDA: BufferPolicy = {
  inPlace: new Set(['neg', 'exp', 'log', 'sqrt', 'reciprocal', 'sigmoid', 'sin', 'cos', 'tanh']),
  keeps: true,
};

/** Whoever computes: a value has memory of its own from where it is made to its last reader. */
const ALIVE: BufferPolicy = { inPlace: new Set(), keeps: false };

/** Values that take no memory of their own while a graph runs: mapped, embedded or fed. */
const LEAVES: ReadonlySet<OpName> = new Set(['input', 'weight', 'constant']);

/** Where computed values get their memory. */
export interface Allocator<Block> {
  take(bytes: number): Block;
  give(block: Block): void;
}

/**
 * The most bytes that ONNX Runtime takes at one time for the computed values of a graph with static shapes
 * that runs in its order. Weights, constants and inputs are not counted. Segments count as if all were of
 * one size: what is kept of all of them is the same in sum, however the rows are spread.
 */
export function peakBytes(graph: Graph): number {
  return mostBytes(graph, ON_CPU);
}

/** The same of values that are alive at one time, which no other order of the memory could do without. */
export function liveBytes(graph: Graph): number {
  return mostBytes(graph, ALIVE);
}

function mostBytes(graph: Graph, policy: BufferPolicy): number {
  let live = 0;
  let peak = 0;
  const counter: Allocator<number> = {
    take: (bytes) => {
      live += bytes;
      peak = Math.max(peak, live);
      return bytes;
    },
    give: (bytes) => {
      live -= bytes;
    },
  };
  runWith(graph, counter, policy);
  return peak;
}

/**
 * Asks an allocator for all that a run of a graph asks it for, in the order of {@link peakBytes}.
 *
 * @param policy the CPU's unless given
 */
export function runWith<Block>(
  graph: Graph,
  allocator: Allocator<Block>,
  policy: BufferPolicy = ON_CPU,
): void {
  const counts = usualCounts(graph);
  const bytesOf = (value: Value): number => {
    const size = sizeOf(numElements(value.shape), counts);
    if (size === undefined) throw new TypeError(`${value.name} has no static size`);
    return size * DTYPE_BYTES[value.dtype];
  };
  const buffers = planBuffers(graph, policy);
  const blocks = new Map<Buffer, Block>();
  const give = (buffer: Buffer): void => {
    const block = blocks.get(buffer);
    if (block !== undefined) allocator.give(block);
    blocks.delete(buffer);
  };
  graph.values.forEach((value, position) => {
    const buffer = buffers.get(value);
    if (buffer?.maker === value) {
      const bytes = bytesOf(value);
      if (bytes > 0) blocks.set(buffer, allocator.take(bytes));
    }
    const work = workBytes(value, bytesOf);
    if (work > 0) allocator.give(allocator.take(work));
    const used = new Set([...value.inputs, value].map((each) => buffers.get(each)));
    for (const each of used) if (each?.lastUse === position) give(each);
  });
  for (const buffer of [...blocks.keys()]) give(buffer);
}

/** Memory that one or more values have after each other. */
interface Buffer {
  /** The value that it is taken for, whose shape it keeps. */
  readonly maker: Value;
  /** Readings of its values that are still to come, those of its present value and of views of that. */
  readings: number;
  /** Place of the node after which it is given back; after the run unless there is one. */
  lastUse: number;
}

/**
 * ONNX Runtime's plan of memory, which it makes once for a session: a value is computed over an input where the
 * kernel allows it, else in a buffer of its shape that nobody reads any more, the latest first, and else in a new
 * one. A buffer that is used again is kept meanwhile, however long that takes: so scores of many sizes in each
 * layer stay for as long as there are layers.
 *
 * Source: `PlannerImpl::ComputeSingleStreamReusePlan`, `FindReusableInput` and `FindReusableTensor` in
 * onnxruntime/core/framework/allocation_planner.cc.
 */
function planBuffers(graph: Graph, { inPlace, keeps }: BufferPolicy): ReadonlyMap<Value, Buffer> {
  const uses = countUses(graph);
  const buffers = new Map<Value, Buffer>();
  const free = new Map<string, Buffer[]>();
  const dyingInput = (value: Value): Buffer | undefined => {
    const sameShape = value.inputs.filter((input) => shapeKey(input) === shapeKey(value));
    return sameShape.map((input) => buffers.get(input)).find((each) => each?.readings === 1);
  };
  const bufferFor = (value: Value): Buffer | undefined => {
    if (LEAVES.has(value.op)) return undefined;
    if (VIEWS.has(value.op)) return buffers.get(value.inputs[0]!);
    return (
      (inPlace.has(value.op) ? dyingInput(value) : undefined) ??
      free.get(shapeKey(value))?.pop() ?? { maker: value, readings: 0, lastUse: Infinity }
    );
  };
  graph.values.forEach((value, position) => {
    const buffer = bufferFor(value);
    if (buffer !== undefined) {
      buffers.set(value, buffer);
      buffer.readings += uses.get(value) ?? 0;
    }
    const release = (each: Buffer): void => {
      each.lastUse = position;
      if (!keeps) return;
      const key = shapeKey(each.maker);
      const others = free.get(key);
      if (others === undefined) free.set(key, [each]);
      else others.push(each);
    };
    for (const input of value.inputs) {
      const read = buffers.get(input);
      if (read === undefined) continue;
      read.readings--;
      if (read.readings === 0) release(read);
    }
    if (buffer?.readings === 0 && buffer.lastUse !== position) release(buffer);
  });
  for (const buffer of new Set(buffers.values()))
    if (buffer.readings > 0) buffer.lastUse = Infinity;
  return buffers;
}

/** What buffers have to have in common to be used one for the other: dimensions, and the size of an element. */
function shapeKey({ dtype, shape }: Value): string {
  return `${DTYPE_BYTES[dtype]} ${shape}`;
}

/** What ONNX Runtime takes for itself while it computes a value. */
function workBytes(value: Value, bytesOf: (value: Value) => number): number {
  // The logarithms of all probabilities.
  if (isOp(value, 'logSumExp')) return bytesOf(value.inputs[0]!);
  // The index of each element.
  if (isOp(value, 'scatterAdd')) {
    const updates = value.inputs[1]!;
    return (bytesOf(updates) / DTYPE_BYTES[updates.dtype]) * DTYPE_BYTES.int64;
  }
  // Scores and their gradients, and both in what products are made of.
  if (isOp(value, 'causalAttention') || isOp(value, 'causalAttentionGradients')) {
    const factors = value.attributes.products === 'bfloat16' ? 2 * DTYPE_BYTES.bfloat16 : 0;
    return blockScores(value.attributes) * (2 * DTYPE_BYTES.float32 + factors);
  }
  // The scores of all heads.
  if (isOp(value, 'groupedAttention') || isOp(value, 'chunkAttention')) {
    return value.attributes.numHeads * bytesOf(value.inputs[3]!);
  }
  if (!isOp(value, 'matmulBnb4')) return 0;
  const { inFeatures, outFeatures } = value.attributes;
  return inFeatures * outFeatures * DTYPE_BYTES[value.dtype];
}

/** How many rows segments have where all have as many. */
function usualCounts(graph: Graph): ReadonlyMap<string, number> {
  return new Map(
    graph.values
      .filter((value) => isOp(value, 'segment'))
      .map(({ shape: [count], inputs: [rows, ends] }) => [
        String(count),
        Math.ceil(Number(rows!.shape[0]) / Number(ends!.shape[0])),
      ]),
  );
}
