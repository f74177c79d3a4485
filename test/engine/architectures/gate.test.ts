import { expect, test } from 'vitest';
import type { Gate } from '../../../engine/architectures/decoder-graph.ts';
import { fusedGate, separateGate } from '../../../engine/architectures/gate.ts';
import { gradients } from '../../../engine/graph/autodiff.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { relativeError } from '../../support/golden.ts';
import { evaluateGraph } from '../graph/evaluate.ts';

/** `[rows, columns]` of an MLP's inner states and what they do to gate and up. */
function gated(
  gateOf: (builder: GraphBuilder) => Gate,
  shape: readonly [number, number],
  again: boolean,
) {
  const b = new GraphBuilder();
  const [gate, up, dY] = ['gate', 'up', 'dY'].map((name) => b.input(name, 'float32', shape));
  const make = () => gateOf(b)('silu', b.neg(gate!), up!);
  const y = again ? b.recomputed(make) : make();
  const loss = b.reduceSum(b.mul(y, dY!), [0, 1]);
  const grads = gradients(b, loss, [gate!, up!]);
  const [dGate, dUp] = [grads.get(gate!)!, grads.get(up!)!];
  return removeDeadCode(b.finish({ y, dGate, dUp }));
}

test.runIf(hasBfloat16).each([
  [[1, 1], false, 'float32'],
  [[7, 33], false, 'float32'],
  [[7, 33], true, 'float32'],
  [[640, 1025], false, 'float32'],
  [[7, 33], false, 'bfloat16'],
  [[7, 33], true, 'bfloat16'],
  [[640, 1025], false, 'bfloat16'],
] as const)('gates %j (again: %s) in %s are those of ONNX’s ops', async (shape, again, dtype) => {
  const count = shape[0] * shape[1];
  const numbers = (step: number) =>
    Float32Array.from({ length: count }, (_, i) => 4 * Math.sin(1 + i * step));
  const feeds = { gate: numbers(0.37), up: numbers(0.71), dY: numbers(1.3) };
  const fused = gated((b) => fusedGate(b, dtype), shape, again);
  expect(fused.values.map(({ op }) => op)).toContain('swigluGateGradient');
  const [actual, exact] = [
    await evaluateGraph(fused, feeds),
    await evaluateGraph(gated(separateGate, shape, again), feeds),
  ];
  // Gate, up and dY lose 2⁻⁹ each in bfloat16, what is made of two of them and the result as much.
  const bound = dtype === 'float32' ? 2e-6 : 1e-2;
  for (const name of ['y', 'dGate', 'dUp']) {
    expect(relativeError(actual[name]!, exact[name]!), name).toBeLessThan(bound);
  }
});

test('a gate of rows that only a run knows, and one that is no silu, are made of ONNX’s ops', () => {
  const b = new GraphBuilder();
  const pair = (rows: number | string) => {
    const x = b.input(`x${rows}`, 'float32', [rows, 4]);
    return [x, x] as const;
  };
  expect(fusedGate(b, 'float32')('silu', ...pair('rows')).op).toBe('mul');
  expect(fusedGate(b, 'bfloat16')('gelu', ...pair(2)).op).toBe('mul');
});
