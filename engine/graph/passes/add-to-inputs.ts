import type { Graph } from '../graph.ts';
import type { Value } from '../value.ts';

/**
 * Adds outputs to inputs of their shapes: `output ← input + output`. Each sum is made as soon as there is
 * what to add, by an elementwise node that nothing but the output follows, so that a run may write it over
 * its input.
 *
 * @param inputs names of the new inputs by those of the outputs
 */
export function addToInputs(graph: Graph, inputs: ReadonlyMap<string, string>): Graph {
  const sums = new Map<Value, Value[]>();
  const outputs = new Map(graph.outputs);
  for (const [output, name] of inputs) {
    const value = graph.outputs.get(output)!;
    const { dtype, shape } = value;
    const input: Value<'input'> = {
      op: 'input',
      inputs: [],
      attributes: { dtype, shape },
      name,
      dtype,
      shape,
    };
    const sum: Value<'add'> = {
      op: 'add',
      inputs: [input, value],
      attributes: {},
      name: `${name}/sum`,
      dtype,
      shape,
    };
    sums.set(value, [...(sums.get(value) ?? []), input, sum]);
    outputs.set(output, sum);
  }
  return { values: graph.values.flatMap((value) => [value, ...(sums.get(value) ?? [])]), outputs };
}
