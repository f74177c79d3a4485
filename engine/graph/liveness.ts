import { numElements, sizeOf } from './dim.ts';
import { DTYPE_BYTES } from './dtype.ts';
import type { Graph } from './graph.ts';
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
export const IN_PLACE_ON_CUDA: ReadonlySet<OpName> = new Set([
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

/**
 * The most bytes of computed values that are alive at one time when a graph with static shapes
 * runs in its order. Weights, constants and inputs are not counted. Segments count as if all were of
 * one size: what is kept of all of them is the same in sum, however the rows are spread.
 */
export function peakBytes(graph: Graph): number {
  let live = 0;
  let peak = 0;
  runWith(graph, {
    take: (bytes) => {
      live += bytes;
      peak = Math.max(peak, live);
      return bytes;
    },
    give: (bytes) => {
      live -= bytes;
    },
  });
  return peak;
}

/**
 * Asks an allocator for all that a run of a graph asks it for, in the order of {@link peakBytes}.
 *
 * @param inPlace what may be computed in the memory of an input; what the CPU does unless given
 */
export function runWith<Block>(
  graph: Graph,
  allocator: Allocator<Block>,
  inPlace: ReadonlySet<OpName> = IN_PLACE,
): void {
  const counts = usualCounts(graph);
  const bytesOf = (value: Value): number => {
    const size = sizeOf(numElements(value.shape), counts);
    if (size === undefined) throw new TypeError(`${value.name} has no static size`);
    return size * DTYPE_BYTES[value.dtype];
  };
  const buffers = new Map<Value, Buffer>();
  const lastUse = new Map<Buffer, number>();
  graph.values.forEach((value, position) => {
    const view = VIEWS.has(value.op) ? buffers.get(value.inputs[0]!) : undefined;
    const buffer = view ?? { bytes: LEAVES.has(value.op) ? 0 : bytesOf(value) };
    buffers.set(value, buffer);
    for (const input of value.inputs) lastUse.set(buffers.get(input)!, position);
    lastUse.set(buffer, position);
  });
  for (const output of graph.outputs.values()) lastUse.set(buffers.get(output)!, Infinity);

  const blocks = new Map<Buffer, Block>();
  const give = (buffer: Buffer): void => {
    const block = blocks.get(buffer);
    if (block !== undefined) allocator.give(block);
    blocks.delete(buffer);
  };
  graph.values.forEach((value, position) => {
    const buffer = buffers.get(value)!;
    const read = new Set(value.inputs.map((input) => buffers.get(input)!));
    const dying = [...read].filter((input) => lastUse.get(input) === position && input !== buffer);
    const reused = inPlace.has(value.op)
      ? dying.find((input) => input.bytes === buffer.bytes && blocks.has(input))
      : undefined;
    if (reused !== undefined) {
      blocks.set(buffer, blocks.get(reused)!);
      blocks.delete(reused);
    } else if (!read.has(buffer) && buffer.bytes > 0) {
      blocks.set(buffer, allocator.take(buffer.bytes));
    }
    const work = workBytes(value, bytesOf);
    if (work > 0) allocator.give(allocator.take(work));
    for (const input of dying) give(input);
    if (lastUse.get(buffer) === position) give(buffer);
  });
  for (const buffer of [...blocks.keys()]) give(buffer);
}

/** Memory that one or more values share. */
interface Buffer {
  readonly bytes: number;
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
  return inFeatures * outFeatures * DTYPE_BYTES.float32;
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
