import type { Value } from '../graph/value.ts';
import { activate } from './activation.ts';
import type { MlpPart } from './decoder-config.ts';
import { cheap, type DecoderGraph } from './decoder-graph.ts';
import { separateGate } from './gate.ts';

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
function innerStates(graph: DecoderGraph, mlp: MlpPart, x: Value): () => Value {
  const { builder, linear, gate: multiply = separateGate(builder) } = graph;
  const { activation } = mlp;
  const gated = (gate: Value, up: Value) => (): Value => multiply(activation, gate, up);
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
