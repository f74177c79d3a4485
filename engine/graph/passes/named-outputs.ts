import { type Graph, rewriteGraph } from '../graph.ts';
import type { Value } from '../value.ts';

/** Gives values the names under which they are outputs, by which other programs ask for them. */
export function namedOutputs(graph: Graph): Graph {
  const names = new Map<Value, string>([...graph.outputs].map(([name, value]) => [value, name]));
  return rewriteGraph(graph, (value, original) => {
    const name = names.get(original);
    return name === undefined ? value : { ...value, name };
  });
}
