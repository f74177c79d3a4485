import { type Graph, rewriteGraph } from '../graph.ts';
import type { Value } from '../value.ts';

/**
 * Gives each reader of an upcast weight an upcast of its own, computed just before it. Shared, the
 * float32 copies of all layers would stay alive from forward to backward.
 */
export function upcastPerUse(graph: Graph): Graph {
  const isUpcast = (value: Value): boolean =>
    value.op === 'cast' && value.inputs[0]!.op === 'weight';
  let copies = 0;
  const rewritten = rewriteGraph(graph, (value, _original, insert) => {
    if (!value.inputs.some(isUpcast)) return value;
    const inputs = value.inputs.map((input) =>
      isUpcast(input) ? insert({ ...input, name: `${input.name}~${++copies}` }) : input,
    );
    return { ...value, inputs };
  });
  return rewritten;
}
