import type { GraphBuilder } from '../graph/builder.ts';
import { activate } from './activation.ts';
import type { Gate } from './decoder-graph.ts';

/**
 * {@link separateGate} by ops of our own where there are some (`engine/graph/ops/swiglu.ts`), which keep gate
 * and up alone.
 */
export function fusedGate(builder: GraphBuilder): Gate {
  const separate = separateGate(builder);
  return (activation, gate, up) => {
    // Of the rows of an expert only a run knows how many there are.
    if (activation !== 'silu' || typeof gate.shape[0] !== 'number') {
      return separate(activation, gate, up);
    }
    return builder.withGradients(builder.apply('swiglu', [gate, up], {}), [
      {
        input: gate,
        pullback: (dY, current) =>
          builder.apply('swigluGateGradient', [current(gate), current(up), dY], {}),
      },
      {
        input: up,
        pullback: (dY, current) => builder.apply('swigluUpGradient', [current(gate), dY], {}),
      },
    ]);
  };
}

/** `activation(gate) ∘ up` by ONNX's ops. */
export function separateGate(builder: GraphBuilder): Gate {
  return (activation, gate, up) => builder.mul(activate(builder, activation, gate), up);
}
