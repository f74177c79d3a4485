import { type Graph, rewriteGraph } from '../graph.ts';
import type { Value } from '../value.ts';

/**
 * Gives the readers of an upcast weight an upcast just before them. Shared by all of them, the
 * float32 copies of all layers would stay alive from forward to backward. Readers that follow each
 * other with no upcast of another weight between them share one, as the chunks of the loss do:
 * upcasting a whole vocabulary for each would take a twentieth of a step.
 */
export function upcastPerUse(graph: Graph): Graph {
  const isUpcast = (value: Value): boolean =>
    value.op === 'cast' && value.dtype === 'float32' && value.inputs[0]!.op === 'weight';
  let copies = 0;
  let latest: Value | undefined;
  return rewriteGraph(graph, (value, _original, insert) => {
    if (!value.inputs.some(isUpcast)) return value;
    const ownUpcast = (upcast: Value): Value => {
      if (latest === undefined || latest.inputs[0] !== upcast.inputs[0]) {
        latest = insert({ ...upcast, name: `${upcast.name}~${++copies}` });
      }
      return latest;
    };
    return {
      ...value,
      inputs: value.inputs.map((input) => (isUpcast(input) ? ownUpcast(input) : input)),
    };
  });
}
