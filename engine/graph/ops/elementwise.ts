import type { GraphBuilder } from '../builder.ts';
import type { Op, OpName, OpTable, Sample, SampleInput, Vjp } from '../op.ts';
import type { Value } from '../value.ts';
import {
  broadcastShapes,
  broadcastType,
  commonDtype,
  comparisonType,
  sameType,
} from './shape-rules.ts';

type None = Readonly<Record<never, never>>;

const broadcastPairs = (range: Omit<SampleInput, 'shape'>): Sample<None>[] =>
  [
    [
      [2, 3],
      [2, 3],
    ],
    [
      [4, 1, 3],
      [2, 1],
    ],
    [[1], [3, 2]],
    [[], [2, 2]],
  ].map(([a, b]) => ({
    inputs: [
      { shape: a!, ...range },
      { shape: b!, ...range },
    ],
    attributes: {},
  }));

const unarySamples = (range: Omit<SampleInput, 'shape'>): Sample<None>[] =>
  [[2, 3], [1], [2, 1, 4]].map((shape) => ({ inputs: [{ shape, ...range }], attributes: {} }));

/** Ops of which ONNX Runtime's CPU provider has no float64. */
const float32Samples = <A>(attributes: readonly A[]): Sample<A>[] =>
  [[2, 3], [1], [2, 1, 4]].flatMap((shape) =>
    attributes.map((each) => ({
      inputs: [{ shape, dtype: 'float32', from: -2, to: 2 }],
      attributes: each,
      differences: { step: 2 ** -6, tolerance: 1e-3 },
    })),
  );

/**
 * The derivative of `x · Φ(x)`, `Φ(x) + x · φ(x)`; with the approximation
 * `Φ(x) = (1 + tanh(u)) / 2`, `u = √(2/π) · (x + 0.044715 x³)`, its own.
 */
function geluSlope(b: GraphBuilder, x: Value, approximate: 'none' | 'tanh'): Value {
  const number = (value: number): Value => b.scalar(value, x.dtype);
  const half = (y: Value): Value => b.mul(y, number(0.5));
  const square = b.mul(x, x);
  if (approximate === 'none') {
    const below = half(b.add(b.erf(b.mul(x, number(Math.SQRT1_2))), number(1)));
    const density = b.mul(b.exp(b.mul(square, number(-0.5))), number(1 / Math.sqrt(2 * Math.PI)));
    return b.add(below, b.mul(x, density));
  }
  const c = Math.sqrt(2 / Math.PI);
  const cubic = 0.044715;
  const u = b.mul(x, b.add(b.mul(square, number(c * cubic)), number(c)));
  const t = b.tanh(u);
  const du = b.add(b.mul(square, number(3 * c * cubic)), number(c));
  const bend = b.mul(x, b.mul(b.sub(number(1), b.mul(t, t)), du));
  return half(b.add(b.add(t, number(1)), bend));
}

/** Ops whose attributes are empty. */
type PlainOp = 'add' | 'sub' | 'mul' | 'div' | 'neg' | 'exp' | 'log' | 'sqrt' | 'reciprocal';
type PlainUnary = PlainOp | 'sigmoid' | 'sin' | 'cos' | 'tanh' | 'erf';

function binary<K extends PlainOp>(
  onnxOp: string,
  vjp: Vjp<K>,
  range: Omit<SampleInput, 'shape'> = {},
): Op<K> {
  return {
    infer: broadcastType,
    emit: (onnx, value) => onnx.node(onnxOp, value.inputs.map(nameOf), [value.name]),
    vjp,
    samples: broadcastPairs(range) as Op<K>['samples'],
  };
}

function unary<K extends PlainUnary>(
  onnxOp: string,
  gradient: (builder: GraphBuilder, x: Value, y: Value, dy: Value) => Value,
  range: Omit<SampleInput, 'shape'> = {},
): Op<K> {
  return {
    infer: sameType,
    emit: (onnx, value) => onnx.node(onnxOp, value.inputs.map(nameOf), [value.name]),
    vjp: [({ builder, input, value, cotangent }) => gradient(builder, input(0), value, cotangent)],
    samples: unarySamples(range) as Op<K>['samples'],
  };
}

const nameOf = (value: Value): string => value.name;

function comparison<K extends 'less' | 'lessOrEqual' | 'and'>(onnxOp: string): Op<K> {
  return {
    infer: comparisonType,
    emit: (onnx, value) => onnx.node(onnxOp, value.inputs.map(nameOf), [value.name]),
    vjp: 'not differentiable',
    samples: [],
  };
}

type ElementwiseOp = Extract<
  OpName,
  PlainUnary | 'silu' | 'gelu' | 'cast' | 'less' | 'lessOrEqual' | 'and' | 'where' | 'mod'
>;

/** Arithmetic with NumPy broadcasting, activations, comparisons. */
export const elementwiseOps: Pick<OpTable, ElementwiseOp> = {
  add: binary('Add', [({ cotangent }) => cotangent, ({ cotangent }) => cotangent]),
  sub: binary('Sub', [
    ({ cotangent }) => cotangent,
    ({ builder, cotangent }) => builder.neg(cotangent),
  ]),
  mul: binary('Mul', [
    ({ builder, input, cotangent }) => builder.mul(cotangent, input(1)),
    ({ builder, input, cotangent }) => builder.mul(cotangent, input(0)),
  ]),
  div: binary(
    'Div',
    [
      ({ builder, input, cotangent }) => builder.div(cotangent, input(1)),
      ({ builder, input, value, cotangent }) =>
        builder.neg(builder.div(builder.mul(cotangent, value), input(1))),
    ],
    { from: 0.5, to: 2 },
  ),
  neg: unary('Neg', (b, _x, _y, dy) => b.neg(dy)),
  exp: unary('Exp', (b, _x, y, dy) => b.mul(dy, y)),
  log: unary('Log', (b, x, _y, dy) => b.div(dy, x), { from: 0.5, to: 2 }),
  sqrt: unary('Sqrt', (b, _x, y, dy) => b.div(dy, b.mul(y, b.scalar(2, y.dtype))), {
    from: 0.5,
    to: 2,
  }),
  reciprocal: unary('Reciprocal', (b, _x, y, dy) => b.neg(b.mul(dy, b.mul(y, y))), {
    from: 0.5,
    to: 2,
  }),
  sigmoid: unary('Sigmoid', (b, _x, y, dy) => b.mul(dy, b.mul(y, b.sub(b.scalar(1, y.dtype), y)))),
  sin: unary('Sin', (b, x, _y, dy) => b.mul(dy, b.cos(x))),
  cos: unary('Cos', (b, x, _y, dy) => b.neg(b.mul(dy, b.sin(x)))),
  tanh: unary('Tanh', (b, _x, y, dy) => b.mul(dy, b.sub(b.scalar(1, y.dtype), b.mul(y, y)))),
  // dy/dx = 2/√π · exp(−x²)
  erf: {
    ...unary('Erf', (b, x, _y, dy) => {
      const bell = b.exp(b.neg(b.mul(x, x)));
      return b.mul(dy, b.mul(bell, b.scalar(2 / Math.sqrt(Math.PI), x.dtype)));
    }),
    samples: float32Samples([{}]),
  },
  /** `x · Φ(x)` (arXiv 1606.08415; ONNX Gelu). */
  gelu: {
    infer: sameType,
    emit: (onnx, value) => {
      const approximate = { text: value.attributes.approximate };
      onnx.node('Gelu', value.inputs.map(nameOf), [value.name], { approximate });
    },
    vjp: [
      ({ builder: b, input, value, cotangent }) =>
        b.mul(cotangent, geluSlope(b, input(0), value.attributes.approximate)),
    ],
    samples: float32Samples([{ approximate: 'none' }, { approximate: 'tanh' }]),
  },
  silu: {
    infer: sameType,
    emit: (onnx, value) => {
      const x = nameOf(value.inputs[0]!);
      const gate = onnx.temporary(value.name, 'sigmoid');
      onnx.node('Sigmoid', [x], [gate]);
      onnx.node('Mul', [x, gate], [value.name]);
    },
    // With y = x · sigmoid: dy/dx = sigmoid + y · (1 − sigmoid), where the sigmoid is made again.
    vjp: [
      ({ builder: b, input, value, cotangent }) => {
        const gate = b.sigmoid(input(0));
        const slope = b.add(gate, b.mul(value, b.sub(b.scalar(1, value.dtype), gate)));
        return b.mul(cotangent, slope);
      },
    ],
    samples: unarySamples({ from: -3, to: 3 }),
  },
  cast: {
    infer: ([x], { to }) => ({ dtype: to, shape: x!.shape }),
    emit: (onnx, value) => onnx.cast(nameOf(value.inputs[0]!), value.name, value.attributes.to),
    vjp: [({ builder, input, cotangent }) => builder.cast(cotangent, input(0).dtype)],
    samples: [[2, 3], [1], [2, 1, 4]].map((shape) => ({
      inputs: [{ shape }],
      attributes: { to: 'float64' },
    })),
  },
  less: comparison('Less'),
  lessOrEqual: comparison('LessOrEqual'),
  and: comparison('And'),
  where: {
    infer: ([condition, ...branches]) => ({
      dtype: commonDtype(branches),
      shape: [condition!, ...branches].map(({ shape }) => shape).reduce(broadcastShapes),
    }),
    emit: (onnx, value) => onnx.node('Where', value.inputs.map(nameOf), [value.name]),
    vjp: [
      null,
      ({ builder: b, input, cotangent }) =>
        b.where(input(0), cotangent, b.scalar(0, cotangent.dtype)),
      ({ builder: b, input, cotangent }) =>
        b.where(input(0), b.scalar(0, cotangent.dtype), cotangent),
    ],
    samples: [
      [
        [2, 3],
        [2, 3],
        [2, 3],
      ],
      [[3], [2, 3], []],
      [
        [4, 1],
        [1, 3],
        [4, 3],
      ],
    ].map(([condition, a, b]) => ({
      inputs: [{ shape: condition!, dtype: 'bool' }, { shape: a! }, { shape: b! }],
      attributes: {},
    })),
  },
  mod: {
    infer: broadcastType,
    emit: (onnx, value) => onnx.node('Mod', value.inputs.map(nameOf), [value.name]),
    vjp: 'not differentiable',
    samples: [],
  },
};
