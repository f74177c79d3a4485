import { isStatic } from './dim.ts';
import type { Value } from './value.ts';

/** A finished graph. */
export interface Graph {
  /** Every value, in the order in which it should be computed; inputs before their users. */
  readonly values: readonly Value[];
  readonly outputs: ReadonlyMap<string, Value>;
}

/** The values that are fed at every run. */
export function graphInputs(graph: Graph): Value<'input'>[] {
  return graph.values.filter((value): value is Value<'input'> => value.op === 'input');
}

/** Whether all sizes are known before a run. */
export function hasStaticShapes({ values }: Graph): boolean {
  return values.every(({ shape }) => isStatic(shape));
}

/** How many values read each value; a graph output counts as one more reader. */
export function countUses(graph: Graph): Map<Value, number> {
  const uses = new Map<Value, number>();
  const read = (value: Value): void => void uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const value of graph.values) value.inputs.forEach(read);
  for (const value of graph.outputs.values()) read(value);
  return uses;
}

/**
 * Rebuilds a graph value by value. `visit` is given each value with its inputs already replaced
 * and returns what stands for it; values that must be computed before it go through `insert`.
 */
export function rewriteGraph(
  graph: Graph,
  visit: (value: Value, original: Value, insert: (value: Value) => Value) => Value,
): Graph {
  const values: Value[] = [];
  const seen = new Set<Value>();
  const insert = (value: Value): Value => {
    if (!seen.has(value)) {
      seen.add(value);
      values.push(value);
    }
    return value;
  };
  const replaced = new Map<Value, Value>();
  for (const original of graph.values) {
    const inputs = original.inputs.map((input) => replaced.get(input)!);
    const changed = inputs.some((input, i) => input !== original.inputs[i]);
    const value = changed ? { ...original, inputs } : original;
    replaced.set(original, insert(visit(value, original, insert)));
  }
  const outputs = new Map([...graph.outputs].map(([name, value]) => [name, replaced.get(value)!]));
  return { values, outputs };
}
