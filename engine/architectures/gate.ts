import type { GraphBuilder } from '../graph/builder.ts';
import type { SwigluOp, SwigluType } from '../graph/ops/swiglu.ts';
import type { Value } from '../graph/value.ts';
import { activate } from './activation.ts';
import type { Gate } from './decoder-graph.ts';

/**
 * {@link separateGate} by ops of our own where there are some (`engine/graph/ops/swiglu.ts`), which keep gate
 * and up alone, in the type that they compute in.
 */
export function fusedGate(builder: GraphBuilder, dtype: SwigluType): Gate {
  const separate = separateGate(builder);
  const narrow = (x: Value): Value =>
    dtype === 'float32' ? x : builder.apply('toBfloat16', [x], {});
  return (activation, gate, up) => {
    // Of the rows of an expert only a run knows how many there are.
    if (activation !== 'silu' || typeof gate.shape[0] !== 'number') {
      return separate(activation, gate, up);
    }
    const [a, b] = [narrow(gate), narrow(up)];
    const wide = (op: SwigluOp, inputs: readonly Value[]): Value =>
      builder.cast(builder.apply(op, inputs, {}), 'float32');
    return builder.withGradients(wide('swiglu', [a, b]), [
      {
        input: gate,
        pullback: (dY, current) => wide('swigluGateGradient', [current(a), current(b), narrow(dY)]),
      },
      {
        input: up,
        pullback: (dY, current) => wide('swigluUpGradient', [current(a), narrow(dY)]),
      },
    ]);
  };
}

/** `activation(gate) ∘ up` by ONNX's ops. */
export function separateGate(builder: GraphBuilder): Gate {
  return (activation, gate, up) => builder.mul(activate(builder, activation, gate), up);
}
