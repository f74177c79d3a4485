import type { Graph } from '../graph/graph.ts';
import type { OpName } from '../graph/op.ts';
import { OWN_DOMAIN } from '../graph/ops/own-domain.ts';
import { opTable } from '../graph/ops/table.ts';
import type { Value } from '../graph/value.ts';
import { OnnxEmitter } from './emitter.ts';
import { encodeModel } from './proto.ts';

/** The opset of ONNX that is written where it has all ops: execution providers other than the CPU's lag behind. */
const OPSET = 21;

/** The first opset that has an op, where that is a later one. */
const LATER: Readonly<Record<string, number>> = { Attention: 23 };

/** The opsets of ONNX Runtime's own ops and of ours. */
const OTHER_OPSETS = { 'com.microsoft': 1, [OWN_DOMAIN]: 1 };

/** In which order nodes are listed. */
export type NodeOrder = 'reverse' | 'topological';

/**
 * Writes a graph as an ONNX model. Outputs bear the names of their values.
 *
 * The nodes are listed in exact reverse of the order in which the graph wants them computed: ONNX
 * Runtime walks depth-first from the outputs and breaks ties by node index, and reversed it
 * arrives at the graph's order. In forward order it keeps far more alive (ARCHITECTURE.md). A file for
 * other programs has them in topological order, which the specification of ONNX asks for.
 */
export function writeOnnx(graph: Graph, order: NodeOrder = 'reverse'): Uint8Array {
  const emitter = new OnnxEmitter();
  for (const value of graph.values) emitValue(emitter, value);
  const domains = new Set(emitter.nodes.map(({ domain }) => domain));
  const others = Object.entries(OTHER_OPSETS).filter(([domain]) => domains.has(domain));
  const opset = Math.max(OPSET, ...emitter.nodes.map(({ opType }) => LATER[opType] ?? OPSET));
  return encodeModel({
    opsets: { '': opset, ...Object.fromEntries(others) },
    nodes: order === 'reverse' ? emitter.nodes.toReversed() : emitter.nodes,
    initializers: emitter.initializers,
    inputs: emitter.inputs,
    outputs: [...graph.outputs.values()],
    values: emitter.values,
  });
}

function emitValue<K extends OpName>(emitter: OnnxEmitter, value: Value<K>): void {
  opTable[value.op].emit(emitter, value);
}
