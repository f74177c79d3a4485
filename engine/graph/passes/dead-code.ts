import type { Graph } from '../graph.ts';
import type { Value } from '../value.ts';

/** Drops every value that no output needs. */
export function removeDeadCode(graph: Graph): Graph {
  const live = new Set<Value>(graph.outputs.values());
  for (const value of graph.values.toReversed()) {
    if (live.has(value)) for (const input of value.inputs) live.add(input);
  }
  return { values: graph.values.filter((value) => live.has(value)), outputs: graph.outputs };
}
