import { LorafaError, messageOf } from '../errors.ts';
import { type Dim, formatShape, type Shape, sameShape } from './dim.ts';
import type { DType } from './dtype.ts';
import type { Graph } from './graph.ts';
import type { ExternalData, OpAttributes, OpName } from './op.ts';
import { matrixTransposePerm } from './ops/linear-algebra.ts';
import { opTable } from './ops/table.ts';
import type { Value, ValueType } from './value.ts';

type GemmOptions = Partial<OpAttributes['gemm']> & { readonly c?: Value };

/** The values of a region that is computed again, in creation order; leaves don't belong to it. */
export type RecomputedRegion = readonly Value[];

/** One of the gradients that a value is given in place of those of the op it is made by. */
export interface CustomGradient {
  /** What the gradient goes to. */
  readonly input: Value;
  /**
   * d loss / d input from d loss / d value. Of the forward pass it may read what `current` gives for
   * a value: the value itself, or its second computation where it is to be recomputed.
   */
  readonly pullback: (cotangent: Value, current: (value: Value) => Value) => Value;
}

/**
 * Builds a graph call by call. The order of the calls is the order in which values are computed:
 * call when you want it computed, for it decides how much memory is alive.
 */
export class GraphBuilder {
  readonly #values: Value[] = [];
  readonly #scalars = new Map<string, Value>();
  readonly #leafNames = new Set<string>();
  readonly #regions = new Map<Value, RecomputedRegion>();
  readonly #customGradients = new Map<Value, readonly CustomGradient[]>();
  #region: Value[] | undefined;
  #scope = '';

  /** The values so far, in creation order. */
  get values(): readonly Value[] {
    return this.#values;
  }

  /** Names everything that `build` makes below `name`. */
  scope<T>(name: string, build: () => T): T {
    return this.withScope(this.#scope === '' ? name : `${this.#scope}.${name}`, build);
  }

  /** Like {@link scope} with a whole path instead of one below the current one. */
  withScope<T>(path: string, build: () => T): T {
    const outer = this.#scope;
    this.#scope = path;
    try {
      return build();
    } finally {
      this.#scope = outer;
    }
  }

  /**
   * Marks what `build` makes as a region to compute again for the backward pass instead of keeping
   * it (gradient checkpointing, arXiv 1604.06174). Inside a region this changes nothing.
   */
  recomputed<T>(build: () => T): T {
    if (this.#region !== undefined) return build();
    this.#region = [];
    try {
      return build();
    } finally {
      this.#region = undefined;
    }
  }

  /** The region that a value belongs to, if it is to be computed again. */
  regionOf(value: Value): RecomputedRegion | undefined {
    return this.#regions.get(value);
  }

  /**
   * Lets gradients go from `value` to chosen inputs by rules, whatever lies between (JAX's
   * `custom_vjp`): for what is rounded on the way and has no derivative, or has a cheaper one.
   *
   * @returns the value
   */
  withGradients(value: Value, gradients: readonly CustomGradient[]): Value {
    this.#customGradients.set(value, gradients);
    return value;
  }

  /** The gradients that a value was given by {@link withGradients}. */
  customGradientsOf(value: Value): readonly CustomGradient[] | undefined {
    return this.#customGradients.get(value);
  }

  /** Adds one value. Throws `internal.graph` naming the op, its scope and the shapes. */
  apply<K extends OpName>(
    op: K,
    inputs: readonly Value[],
    attributes: OpAttributes[K],
    leafName?: string,
  ): Value<K> {
    const number = this.#values.length;
    const name = leafName ?? `${this.#scope === '' ? '' : `${this.#scope}/`}${op}_${number}`;
    let type: ValueType;
    try {
      type = opTable[op].infer(inputs, attributes);
    } catch (error) {
      const shapes = inputs.map((input) => formatShape(input.shape)).join(', ');
      throw new LorafaError('internal.graph', `${name}(${shapes}): ${messageOf(error)}`, {
        cause: error,
      });
    }
    const value: Value<K> = { op, inputs, attributes, name, dtype: type.dtype, shape: type.shape };
    this.#values.push(value);
    if (this.#region !== undefined && inputs.length > 0) {
      this.#region.push(value);
      this.#regions.set(value, this.#region);
    }
    return value;
  }

  #leaf<K extends 'input' | 'weight'>(op: K, name: string, attributes: OpAttributes[K]): Value<K> {
    if (this.#leafNames.has(name)) {
      throw new LorafaError('internal.graph', `the graph has two leaves named ${name}`);
    }
    this.#leafNames.add(name);
    return this.apply(op, [], attributes, name);
  }

  /** A value that is fed at every run under `name`. */
  input(name: string, dtype: DType, shape: Shape): Value<'input'> {
    return this.#leaf('input', name, { dtype, shape });
  }

  /** A frozen tensor mapped from a file. */
  weight(name: string, dtype: DType, shape: Shape, data: ExternalData): Value<'weight'> {
    return this.#leaf('weight', name, { dtype, shape, data });
  }

  constant(data: readonly number[], shape: readonly number[], dtype: DType = 'float32'): Value {
    return this.apply('constant', [], { dtype, shape, data });
  }

  /** A constant of shape `[]`, shared by all that ask for the same number. */
  scalar(value: number, dtype: DType = 'float32'): Value {
    const key = `${dtype} ${value}`;
    const known = this.#scalars.get(key);
    if (known !== undefined) return known;
    const made = this.withScope('constants', () => this.constant([value], [], dtype));
    this.#scalars.set(key, made);
    return made;
  }

  add = (a: Value, b: Value): Value => this.apply('add', [a, b], {});
  sub = (a: Value, b: Value): Value => this.apply('sub', [a, b], {});
  mul = (a: Value, b: Value): Value => this.apply('mul', [a, b], {});
  div = (a: Value, b: Value): Value => this.apply('div', [a, b], {});
  mod = (a: Value, b: Value): Value => this.apply('mod', [a, b], {});
  less = (a: Value, b: Value): Value => this.apply('less', [a, b], {});
  lessOrEqual = (a: Value, b: Value): Value => this.apply('lessOrEqual', [a, b], {});
  and = (a: Value, b: Value): Value => this.apply('and', [a, b], {});
  where = (condition: Value, a: Value, b: Value): Value =>
    this.apply('where', [condition, a, b], {});

  neg = (x: Value): Value => this.apply('neg', [x], {});
  exp = (x: Value): Value => this.apply('exp', [x], {});
  log = (x: Value): Value => this.apply('log', [x], {});
  sqrt = (x: Value): Value => this.apply('sqrt', [x], {});
  reciprocal = (x: Value): Value => this.apply('reciprocal', [x], {});
  sigmoid = (x: Value): Value => this.apply('sigmoid', [x], {});
  silu = (x: Value): Value => this.apply('silu', [x], {});
  sin = (x: Value): Value => this.apply('sin', [x], {});
  cos = (x: Value): Value => this.apply('cos', [x], {});
  tanh = (x: Value): Value => this.apply('tanh', [x], {});
  erf = (x: Value): Value => this.apply('erf', [x], {});
  gelu = (x: Value, approximate: OpAttributes['gelu']['approximate']): Value =>
    this.apply('gelu', [x], { approximate });
  softmax = (x: Value): Value => this.apply('softmax', [x], {});
  logSumExp = (x: Value): Value => this.apply('logSumExp', [x], {});

  /** The value itself where it has the type already. */
  cast(x: Value, to: DType): Value {
    return x.dtype === to ? x : this.apply('cast', [x], { to });
  }

  /** The reduced axes stay with size 1. */
  reduceSum = (x: Value, axes: readonly number[]): Value => this.apply('reduceSum', [x], { axes });
  /** The reduced axes stay with size 1. */
  reduceMean = (x: Value, axes: readonly number[]): Value =>
    this.apply('reduceMean', [x], { axes });
  /** The reduced axes stay with size 1. */
  reduceMax = (x: Value, axes: readonly number[]): Value => this.apply('reduceMax', [x], { axes });

  /** `1 / sqrt(mean(x²) + epsilon)` over the last axis, which stays with size 1. */
  inverseRms(x: Value, epsilon: number): Value {
    const meanSquare = this.reduceMean(this.mul(x, x), [x.shape.length - 1]);
    return this.reciprocal(this.sqrt(this.add(meanSquare, this.scalar(epsilon, x.dtype))));
  }

  rmsNorm = (x: Value, weight: Value, epsilon: number): Value =>
    this.apply('rmsNorm', [x, weight], { epsilon });
  rotary = (x: Value, cos: Value, sin: Value): Value => this.apply('rotary', [x, cos, sin], {});

  /** Sums the axes along which `shape` was broadcast to `x`'s shape. */
  sumTo(x: Value, shape: Shape): Value {
    const lead = x.shape.length - shape.length;
    const axes = x.shape.flatMap((dim, axis) =>
      axis < lead || dim !== shape[axis - lead] ? [axis] : [],
    );
    const summed = axes.length === 0 ? x : this.reduceSum(x, axes);
    return this.reshape(summed, shape);
  }

  matmul = (a: Value, b: Value): Value => this.apply('matmul', [a, b], {});

  /** `alpha · op(a) · op(b) + c` on matrices. */
  gemm(a: Value, b: Value, { c, transA = false, transB = false, alpha = 1 }: GemmOptions = {}) {
    return this.apply('gemm', c === undefined ? [a, b] : [a, b, c], { transA, transB, alpha });
  }

  /** `x · Wᵀ` with `W [out, in]` in NF4: codes, two in a byte, and magnitudes of blocks. */
  matmulBnb4(x: Value, codes: Value, absmax: Value, sizes: OpAttributes['matmulBnb4']): Value {
    return this.apply('matmulBnb4', [x, codes, absmax], sizes);
  }

  /** A weight of {@link matmulBnb4} as `[out, in]`, in the type of its magnitudes. */
  dequantizeNf4(codes: Value, absmax: Value, sizes: OpAttributes['matmulBnb4']): Value {
    const { inFeatures, outFeatures } = sizes;
    // Blocks run across rows, so that W is the product of 1 and of itself as one long column.
    const column = { inFeatures: 1, outFeatures: outFeatures * inFeatures };
    const one = this.cast(this.constant([1], [1, 1]), absmax.dtype);
    const row = this.matmulBnb4(one, codes, absmax, column);
    return this.reshape(row, [outFeatures, inFeatures]);
  }

  /** `x · Wᵀ` with `W [out, in]` in blocks of codes `[out, blocks, bytes]` with scales `[out, blocks]`. */
  matmulNBits(
    x: Value,
    codes: Value,
    scales: Value,
    accuracy: OpAttributes['matmulNBits']['accuracy'],
  ): Value {
    const bits = bitsOf(codes, Number(x.shape.at(-1)));
    return this.apply('matmulNBits', [x, codes, scales], { bits, accuracy });
  }

  /** Rows of a matrix of `width` columns in blocks of codes, `[i] → [i, blocks, width / blocks]`. */
  gatherBlocks(codes: Value, scales: Value, indices: Value, width: number): Value {
    return this.apply('gatherBlocks', [codes, scales, indices], { bits: bitsOf(codes, width) });
  }

  /** The value itself where it has the shape already. */
  reshape(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.apply('reshape', [x], { shape });
  }

  /** `[a · b, …]` as `[a, b, …]`, whose sizes are those of `like [a, b]`. */
  unflatten = (x: Value, like: Value): Value => this.apply('unflatten', [x, like], {});

  transpose = (x: Value, perm: readonly number[]): Value => this.apply('transpose', [x], { perm });
  /** Swaps the last two axes. */
  matrixTranspose = (x: Value): Value => this.transpose(x, matrixTransposePerm(x.shape.length));

  /** The value itself where it has the shape already. */
  expand(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.apply('expand', [x], { shape });
  }

  /** The value itself where the slice is all of it. */
  slice(x: Value, axis: number, start: number, end: number): Value {
    const whole = start === 0 && end === x.shape[axis];
    return whole ? x : this.apply('slice', [x], { axis, start, end });
  }

  /** Zeros before and after; the value itself where there are none. */
  pad(x: Value, axis: number, before: number, after: number): Value {
    return before === 0 && after === 0 ? x : this.apply('pad', [x], { axis, before, after });
  }

  /** The value itself where it is the only one. */
  concat(parts: readonly Value[], axis: number): Value {
    return parts.length === 1 ? parts[0]! : this.apply('concat', parts, { axis });
  }

  gather = (data: Value, indices: Value): Value => this.apply('gather', [data, indices], {});
  scatterAdd = (indices: Value, updates: Value, rows: Dim): Value =>
    this.apply('scatterAdd', [indices, updates], { rows });
  setRows = (data: Value, indices: Value, rows: Value): Value =>
    this.apply('setRows', [data, indices, rows], {});
  topKMask = (x: Value, k: number): Value => this.apply('topKMask', [x], { k });
  nonZero = (mask: Value, count: Dim): Value => this.apply('nonZero', [mask], { count });
  cumSum = (x: Value): Value => this.apply('cumSum', [x], {});

  segment = (rows: Value, ends: Value, index: number, count: Dim): Value =>
    this.apply('segment', [rows, ends], { index, count });
  joinSegments = (segments: readonly Value[], ends: Value, rows: Dim): Value =>
    this.apply('joinSegments', [ends, ...segments], { rows });

  /** The graph that computes `outputs`; dead values are still in it. */
  finish(outputs: Readonly<Record<string, Value>>): Graph {
    return { values: [...this.#values], outputs: new Map(Object.entries(outputs)) };
  }
}

/** Bits of a code where rows of `width` columns are in blocks `[rows, blocks, bytes]`. */
function bitsOf({ shape }: Value, width: number): 4 | 8 {
  return 8 * Number(shape[1]) * Number(shape[2]) === 4 * width ? 4 : 8;
}
