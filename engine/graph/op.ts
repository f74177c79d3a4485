import type { OnnxEmitter } from '../onnx/emitter.ts';
import type { GraphBuilder } from './builder.ts';
import type { Dim, Shape } from './dim.ts';
import type { DType } from './dtype.ts';
import type { AttentionSizes } from './ops/attention.ts';
import type { Value, ValueType } from './value.ts';

/** Where the bytes of a weight lie: a region of a file that is mapped. */
export interface ExternalData {
  /** File name inside the folder that the session is given. */
  readonly file: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

type None = Readonly<Record<never, never>>;
interface Reduction {
  /** Axes to reduce, counted from 0. They stay in the shape with size 1. */
  readonly axes: readonly number[];
}

/** Every op and its attributes. An op that is missing from the table in `ops/` does not compile. */
export interface OpAttributes {
  /** Fed at every run. */
  input: { readonly dtype: DType; readonly shape: Shape };
  /** Frozen data mapped from a file. */
  weight: { readonly dtype: DType; readonly shape: Shape; readonly data: ExternalData };
  /** Small data inside the graph, row-major. */
  constant: { readonly dtype: DType; readonly shape: Shape; readonly data: readonly number[] };

  add: None;
  sub: None;
  mul: None;
  div: None;
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  reciprocal: None;
  sigmoid: None;
  silu: None;
  sin: None;
  cos: None;
  tanh: None;
  erf: None;
  /** `none`: by the normal distribution itself; `tanh`: by the approximation with a tanh. */
  gelu: { readonly approximate: 'none' | 'tanh' };
  softmax: None;
  logSumExp: None;
  cast: { readonly to: DType };

  less: None;
  lessOrEqual: None;
  and: None;
  where: None;
  mod: None;

  reduceSum: Reduction;
  reduceMean: Reduction;
  reduceMax: Reduction;

  rmsNorm: { readonly epsilon: number };
  rotary: None;

  matmul: None;
  /** Only made by a pass: a product whose operands are read transposed where they lie. */
  transposedMatmul: { readonly transA: boolean; readonly transB: boolean };
  gemm: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  matmulBnb4: { readonly inFeatures: number; readonly outFeatures: number };

  matmulNBits: { readonly bits: 4 | 8; readonly accuracy: 'float32' | 'int8' };
  gatherBlocks: { readonly bits: 4 | 8 };

  rowScale: None;
  quantizeRows: None;
  matmulInteger: None;

  toBfloat16: None;
  bfloat16Rest: None;
  matmulBfloat16: { readonly transA: boolean; readonly transB: boolean };
  matmulBlocks: None;
  /** Only made by a pass. */
  addMatmulBfloat16: { readonly transA: boolean; readonly transB: boolean };
  /** Only made by a pass. */
  addMatmul: { readonly transA: boolean; readonly transB: boolean };
  matvecBfloat16: None;

  swiglu: None;
  swigluGateGradient: None;
  swigluUpGradient: None;

  groupedAttention: { readonly numHeads: number; readonly numKeyValueHeads: number };
  chunkAttention: { readonly numHeads: number; readonly numKeyValueHeads: number };

  causalAttention: AttentionSizes;
  causalAttentionGradients: AttentionSizes;

  reshape: { readonly shape: Shape };
  unflatten: None;
  transpose: { readonly perm: readonly number[] };
  expand: { readonly shape: Shape };
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  pad: { readonly axis: number; readonly before: number; readonly after: number };
  concat: { readonly axis: number };
  gather: None;
  scatterAdd: { readonly rows: Dim };
  /** Only made by a pass: the same where additions are atomic. */
  addRows: { readonly rows: Dim };
  setRows: None;
  topKMask: { readonly k: number };
  nonZero: { readonly count: Dim };
  cumSum: None;

  /** `count` is a name where only a run shows how many rows it has. */
  segment: { readonly index: number; readonly count: Dim };
  /** Only left by autodiff where not all segments have a gradient. */
  padSegment: { readonly index: number; readonly rows: Dim };
  joinSegments: { readonly rows: Dim };
}

export type OpName = keyof OpAttributes;

/** An input of a sample: its type, and the interval its numbers are drawn from. */
export interface SampleInput {
  readonly shape: readonly number[];
  /** float64 unless given; float32 for an op that knows no other type. */
  readonly dtype?: DType;
  readonly from?: number;
  readonly to?: number;
}

/** Inputs and attributes on which tests try an op. */
export interface Sample<A> {
  readonly inputs: readonly SampleInput[];
  readonly attributes: A;
  /** How its derivative is taken from differences, for an op of float32 alone that is not linear. */
  readonly differences?: { readonly step: number; readonly tolerance: number };
}

/** What a vjp rule may use. */
export interface VjpContext<K extends OpName> {
  readonly builder: GraphBuilder;
  /** The value whose cotangent is known. */
  readonly value: Value<K>;
  /** Input `index` of the value. */
  input(index: number): Value;
  /** d loss / d value, of the value's own shape. */
  readonly cotangent: Value;
}

/**
 * One rule per input: d loss / d input, of the input's shape or of a shape that the input was
 * broadcast to (autodiff sums the broadcast axes). Null where no gradient exists (indices, masks).
 * The function form serves ops with any number of inputs.
 */
export type Vjp<K extends OpName> =
  | readonly (((context: VjpContext<K>) => Value) | null)[]
  | ((context: VjpContext<K>, index: number) => Value);

/** Everything that the engine knows about one op. */
export interface Op<K extends OpName> {
  /** The output's type, or a `TypeError` whose message says what does not fit. */
  infer(inputs: readonly ValueType[], attributes: OpAttributes[K]): ValueType;
  /** Writes the op as ONNX nodes (or an input or initializer). */
  emit(emitter: OnnxEmitter, value: Value<K>): void;
  /** Vector-Jacobian products, or why there are none. */
  readonly vjp: Vjp<K> | 'leaf' | 'not differentiable';
  /** At least three for each op with a vjp: typical, broadcast, size 1. Empty for leaves. */
  readonly samples: readonly Sample<OpAttributes[K]>[];
}

/** The table of all ops: a missing op, shape rule, emission or vjp does not compile. */
export type OpTable = { readonly [K in OpName]: Op<K> };
