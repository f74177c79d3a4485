import { isStatic, sameShape } from '../dim.ts';
import { countUses, type Graph, rewriteGraph } from '../graph.ts';
import { isOp, type Value } from '../value.ts';
import { scaled } from './scaled.ts';

/**
 * Adds products where the sum lies: `add(sum, product)` and `gemm(a, b, sum)` become one op of our own,
 * which writes over the sum. Made apart, a product with an adapter's narrow matrices goes three times
 * over memory as large as the layer's own result. Products of an expert's rows stay: ops of our own are made for sizes that are
 * numbers.
 */
export function accumulateProducts(graph: Graph): Graph {
  const uses = countUses(graph);
  return rewriteGraph(graph, (value, original, insert) => {
    if (!isStatic(value.shape)) return value;
    if (isOp(value, 'gemm')) {
      const [, , sum] = value.inputs;
      const isSum = sum !== undefined && sameShape(sum.shape, value.shape);
      return isSum && hasStaticFactors(value) ? added(value, sum, value, insert) : value;
    }
    if (value.op !== 'add') return value;
    // What is added last is mostly the right one, and its factors are the youngest.
    const index = [1, 0].find(
      (i) => isProduct(value.inputs[i]!) && uses.get(original.inputs[i]!) === 1,
    );
    if (index === undefined) return value;
    const [product, sum] = [value.inputs[index]!, value.inputs[1 - index]!];
    const fits = sameShape(product.shape, sum.shape);
    return fits ? added(value, sum, product, insert) : value;
  });
}

function isProduct(value: Value): boolean {
  if (isOp(value, 'matmulBfloat16')) return true;
  return isOp(value, 'gemm') && value.inputs.length === 2 && hasStaticFactors(value);
}

function hasStaticFactors({ inputs }: Value<'gemm'>): boolean {
  return inputs.every(({ shape }) => isStatic(shape));
}

/** What stands for `value`: a sum to which a product is added. */
function added(
  { name, dtype, shape }: Value,
  sum: Value,
  product: Value,
  insert: (value: Value) => Value,
): Value {
  const result = { name, dtype, shape };
  if (isOp(product, 'matmulBfloat16')) {
    const { attributes, inputs } = product;
    return { ...result, op: 'addMatmulBfloat16', attributes, inputs: [sum, ...inputs] };
  }
  if (!isOp(product, 'gemm')) return product;
  const { transA, transB, alpha } = product.attributes;
  const [a, b] = product.inputs as readonly [Value, Value];
  const factor = scaled(a, alpha, name, insert);
  return { ...result, op: 'addMatmul', attributes: { transA, transB }, inputs: [sum, factor, b] };
}
