import { formatShape } from './dim.ts';
import type { Graph } from './graph.ts';
import type { Value } from './value.ts';

/**
 * A graph as text, one value a line in order of computation:
 *
 *     %7 = gemm(%3, %5) {transA=false transB=true alpha=1} : float32 [8, 64]  # layers.0.mlp/gemm_7
 *
 * Stable: equal graphs give equal text.
 */
export function graphToText(graph: Graph): string {
  const numbers = new Map<Value, number>(graph.values.map((value, i) => [value, i]));
  const reference = (value: Value): string => `%${numbers.get(value)}`;
  const lines = graph.values.map((value) => {
    const inputs = value.inputs.map(reference).join(', ');
    const type = `${value.dtype} ${formatShape(value.shape)}`;
    return `${reference(value)} = ${value.op}(${inputs})${attributeText(value)} : ${type}  # ${value.name}`;
  });
  const outputs = [...graph.outputs].map(([name, value]) => `${name} = ${reference(value)}`);
  return `${[...lines, `return ${outputs.join(', ')}`].join('\n')}\n`;
}

const LONGEST_LIST = 8;

function attributeText(value: Value): string {
  const entries = Object.entries(value.attributes).filter(
    ([key]) => key !== 'dtype' && key !== 'shape',
  );
  if (entries.length === 0) return '';
  return ` {${entries.map(([key, item]) => `${key}=${itemText(item)}`).join(' ')}}`;
}

function itemText(item: unknown): string {
  if (!Array.isArray(item)) return typeof item === 'object' ? JSON.stringify(item) : String(item);
  const shown = item.slice(0, LONGEST_LIST).join(',');
  return item.length > LONGEST_LIST ? `[${shown},… ${item.length}]` : `[${shown}]`;
}
