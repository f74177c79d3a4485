import { numElements, sizeOf } from './dim.ts';
import { DTYPE_BYTES } from './dtype.ts';
import { countUses, type Graph } from './graph.ts';
import type { OpName } from './op.ts';
import { blockScores } from './ops/attention.ts';
import { isOp, type Value } from './value.ts';

/** Ops whose output is their input under another shape: ONNX Runtime copies nothing. */
const VIEWS: ReadonlySet<OpName> = new Set(['reshape']);

/** Ops that ONNX Runtime computes in place where an input of the same size is not needed later. */
const IN_PLACE: ReadonlySet<OpName> = new Set([
  'add',
  'sub',
  'mul',
  'div',
  'neg',
  'exp',
  'log',
  'sqrt',
  'reciprocal',
  'sigmoid',
  'sin',
  'cos',
  'tanh',
  'softmax',
  'addMatmulBfloat16',
  'addMatmul',
]);

/** The same on CUDA devices, whose kernels for two inputs, and for softmax, always have an output of their own. */
const IN_PLACE_ON_CUDA: ReadonlySet<OpName> = new Set([
  'neg',
  'exp',
  'log',
  'sqrt',
  'reciprocal',
  'sigmoid',
  'sin',
  'cos',
  'tanh',
]);

/** Values that take no memory of their own while a graph runs: mapped, embedded or fed. */
const LEAVES: ReadonlySet<OpName> = new Set(['input', 'weight', 'constant']);

/** Where computed values get their memory. */
export interface Allocator<Block> {
  take(bytes: number): Block;
  give(block: Block): void;
}

/** How ONNX Runtime spares values a memory of their own. */
export interface MemoryPlanner {
  /** Ops that may be computed in the memory of an input. */
  readonly inPlace: ReadonlySet<OpName>;
  /**
   * Whether memory that is free is kept for the next value of the same shape, however late it comes
   * (`FindReusableTensor` of ONNX Runtime's allocation planner), instead of being given back.
   */
  readonly keepsForSameShape: boolean;
}

/** As a CPU's values are counted, whose memory is given back so that it is of use to all others. */
const ON_CPU: MemoryPlanner = { inPlace: IN_PLACE, keepsForSameShape: false };

/** As a CUDA device's are, where an arena hands out what is given back. */
export const ON_CUDA: MemoryPlanner = { inPlace: IN_PLACE_ON_CUDA, keepsForSameShape: true };

/**
 * The most bytes of computed values that are alive at one time when a graph with static shapes
 * runs in its order. Weights, constants and inputs are not counted. Segments count as if all were of
 * one size: what is kept of all of them is the same in sum, however the rows are spread.
 */
export function peakBytes(graph: Graph, planner: MemoryPlanner = ON_CPU): number {
  let live = 0;
  let peak = 0;
  const allocator: Allocator<number> = {
    take: (bytes) => {
      live += bytes;
      peak = Math.max(peak, live);
      return bytes;
    },
    give: (bytes) => {
      live -= bytes;
    },
  };
  runWith(graph, allocator, planner);
  return peak;
}

/** Asks an allocator for all that a run of a graph asks it for, in the order of {@link peakBytes}. */
export function runWith<Block>(
  graph: Graph,
  allocator: Allocator<Block>,
  planner: MemoryPlanner = ON_CPU,
): void {
  const counts = usualCounts(graph);
  const bytesOf = (value: Value): number => {
    const size = sizeOf(numElements(value.shape), counts);
    if (size === undefined) throw new TypeError(`${value.name} has no static size`);
    return size * DTYPE_BYTES[value.dtype];
  };
  const buffers = plannedBuffers(graph, planner, bytesOf);
  const blocks = new Map<Buffer, Block>();
  graph.values.forEach((value, position) => {
    const buffer = buffers.get(value)!;
    if (buffer.bytes > 0 && !blocks.has(buffer)) blocks.set(buffer, allocator.take(buffer.bytes));
    const work = workBytes(value, bytesOf);
    if (work > 0) allocator.give(allocator.take(work));
    for (const each of new Set([...value.inputs.map((input) => buffers.get(input)!), buffer])) {
      const block = blocks.get(each);
      if (block === undefined || each.last !== position) continue;
      allocator.give(block);
      blocks.delete(each);
    }
  });
  for (const block of blocks.values()) allocator.give(block);
}

/** Memory that one or more values have, at the same time as views or one after the other. */
interface Buffer {
  readonly bytes: number;
  /** Of the value that it was taken for: element size and shape. */
  readonly form: string;
  /** How often its values are yet to be read. */
  uses: number;
  /** The place in the graph of what reads it last, or makes what nobody reads; none of an output. */
  last: number;
}

/** Which memory each value of a graph has. */
function plannedBuffers(
  graph: Graph,
  { inPlace, keepsForSameShape }: MemoryPlanner,
  bytesOf: (value: Value) => number,
): ReadonlyMap<Value, Buffer> {
  const uses = countUses(graph);
  const outputs = new Set(graph.outputs.values());
  const buffers = new Map<Value, Buffer>();
  // The youngest first.
  const free: Buffer[] = [];
  const bufferFor = (value: Value): Buffer => {
    const inputs = value.inputs.map((input) => buffers.get(input)!);
    if (VIEWS.has(value.op)) return inputs[0]!;
    const bytes = LEAVES.has(value.op) ? 0 : bytesOf(value);
    const form = `${DTYPE_BYTES[value.dtype]} ${value.shape.join()}`;
    const dies = (buffer: Buffer): boolean =>
      buffer.uses === inputs.filter((input) => input === buffer).length;
    const inInput = inPlace.has(value.op)
      ? inputs.find((input) => input.bytes === bytes && bytes > 0 && dies(input))
      : undefined;
    if (inInput !== undefined) return inInput;
    const isFresh = outputs.has(value) || !keepsForSameShape || bytes === 0;
    const index = isFresh ? -1 : free.findIndex((buffer) => buffer.form === form);
    return index < 0 ? { bytes, form, uses: 0, last: Infinity } : free.splice(index, 1)[0]!;
  };
  const release = (buffer: Buffer, position: number): void => {
    if (buffer.uses > 0 || buffer.bytes === 0) return;
    buffer.last = position;
    free.unshift(buffer);
  };
  graph.values.forEach((value, position) => {
    const buffer = bufferFor(value);
    buffers.set(value, buffer);
    buffer.uses += uses.get(value) ?? 0;
    for (const input of value.inputs) {
      const read = buffers.get(input)!;
      read.uses--;
      release(read, position);
    }
    if ((uses.get(value) ?? 0) === 0) release(buffer, position);
  });
  return buffers;
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
  if (isOp(value, 'groupedAttention')) {
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
