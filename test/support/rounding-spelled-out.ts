import { bfloat16ToFloat32, float32ToBfloat16 } from '../../engine/formats/float16.ts';
import { NF4_BLOCK, NF4_VALUES } from '../../engine/formats/nf4.ts';
import { type Graph, rewriteGraph } from '../../engine/graph/graph.ts';
import type { OpAttributes, OpName } from '../../engine/graph/op.ts';
import { opTable } from '../../engine/graph/ops/table.ts';
import { isOp, type Value } from '../../engine/graph/value.ts';

/** Makes a value and has it computed before what stands for the present one. */
type Make = <K extends OpName>(
  op: K,
  inputs: readonly Value[],
  attributes: OpAttributes[K],
) => Value;

/**
 * A graph for CUDA as one that the CPU computes, which has no product of bfloat16 numbers: the factors are
 * upcast, which is exact, multiplied and added up in float32, and the sum is rounded, which is what cuBLAS
 * promises.
 */
export function roundingSpelledOut(graph: Graph): Graph {
  return rewriteGraph(graph, (value, _original, insert) => {
    if (value.dtype !== 'bfloat16') return value;
    let made = 0;
    const make: Make = (op, inputs, attributes) => {
      const type = opTable[op].infer(inputs, attributes);
      const name = `${value.name}:${made++}`;
      return insert({ op, inputs, attributes, name, ...type } as unknown as Value);
    };
    const product = isOp(value, 'gemm')
      ? make(
          'gemm',
          value.inputs.map((input) => make('cast', [input], FLOAT32)),
          value.attributes,
        )
      : isOp(value, 'matmulBnb4')
        ? nf4Product(value, make)
        : undefined;
    if (product === undefined) return value;
    return { ...make('cast', [product], { to: 'bfloat16' }), name: value.name };
  });
}

const FLOAT32 = { to: 'float32' } as const;

/** With a weight of which each element is a value of NF4, rounded, times a magnitude, rounded once more. */
function nf4Product({ inputs, attributes }: Value<'matmulBnb4'>, make: Make): Value {
  const [x, codes, absmax] = inputs as readonly [Value, Value, Value];
  const { inFeatures, outFeatures } = attributes;
  const constant = (dtype: 'float32' | 'int32', data: readonly number[]): Value =>
    make('constant', [], { dtype, shape: [data.length], data: [...data] });
  const bytes = Number(codes.shape[0]);
  const pairs = make('cast', [codes], { to: 'int32' });
  const sixteen = constant('int32', [16]);
  const halves = [make('div', [pairs, sixteen], {}), make('mod', [pairs, sixteen], {})];
  const indices = make(
    'concat',
    halves.map((half) => make('reshape', [half], { shape: [bytes, 1] })),
    { axis: 1 },
  );
  const values = bfloat16ToFloat32(float32ToBfloat16(NF4_VALUES));
  const blocks = Number(absmax.shape[0]);
  const elements = make('gather', [constant('float32', [...values]), indices], {});
  const inBlocks = make('reshape', [elements], { shape: [blocks, NF4_BLOCK] });
  const magnitudes = make('reshape', [make('cast', [absmax], FLOAT32)], { shape: [blocks, 1] });
  const scaled = make('mul', [inBlocks, magnitudes], {});
  const rounded = make('cast', [make('cast', [scaled], { to: 'bfloat16' })], FLOAT32);
  const weight = make('reshape', [rounded], { shape: [outFeatures, inFeatures] });
  const rows = make('cast', [x], FLOAT32);
  return make('gemm', [rows, weight], { transA: false, transB: true, alpha: 1 });
}
