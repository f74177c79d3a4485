import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { Activation, MlpPart } from './decoder-config.ts';
import { cheap, type DecoderGraph } from './decoder-graph.ts';

/**
 * The MLP of one layer or of one expert, `[tokens, hiddenSize] → [tokens, hiddenSize]`.
 *
 * @param weight `[tokens, 1]`: what a result without biases is multiplied by. What goes into the
 * last layer is multiplied instead, so that no result is kept for the weight's gradient.
 */
export function multiLayerPerceptron(
  graph: DecoderGraph,
  mlp: MlpPart,
  x: Value,
  weight?: Value,
): Value {
  const { builder, linear } = graph;
  return builder.withScope(mlp.name, () => {
    const inner = innerStates(graph, mlp, x);
    return linear(
      mlp.down.name,
      cheap(graph, () => (weight === undefined ? inner() : builder.mul(inner(), weight))),
    );
  });
}

/** What goes into the last layer, to be made where it is called. */
function innerStates({ builder, linear }: DecoderGraph, mlp: MlpPart, x: Value): () => Value {
  const { activation } = mlp;
  const gated = (gate: Value, up: Value) => (): Value =>
    builder.mul(activate(builder, activation, gate), up);
  switch (mlp.kind) {
    case 'gated': {
      const gate = linear(mlp.gate.name, x);
      return gated(gate, linear(mlp.up.name, x));
    }
    case 'fused-gated': {
      const both = linear(mlp.gateUp.name, x);
      const width = mlp.gateUp.outFeatures / 2;
      return gated(builder.slice(both, 1, 0, width), builder.slice(both, 1, width, 2 * width));
    }
    case 'plain': {
      const up = linear(mlp.up.name, x);
      return () => activate(builder, activation, up);
    }
  }
}

function activate(builder: GraphBuilder, activation: Activation, x: Value): Value {
  switch (activation) {
    case 'silu':
      return builder.silu(x);
    case 'gelu':
      return builder.gelu(x, 'none');
    case 'gelu_tanh':
      return builder.gelu(x, 'tanh');
  }
}
