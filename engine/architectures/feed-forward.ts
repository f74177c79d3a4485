import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { Activation, MlpPart } from './decoder-config.ts';
import { cheap, type DecoderGraph } from './decoder-graph.ts';

/** The feed-forward part of one layer, `[tokens, hiddenSize] → [tokens, hiddenSize]`. */
export function feedForward(graph: DecoderGraph, mlp: MlpPart, x: Value): Value {
  const { builder, linear } = graph;
  return builder.withScope(mlp.name, () => linear(mlp.down.name, inner(graph, mlp, x)));
}

function inner(graph: DecoderGraph, mlp: MlpPart, x: Value): Value {
  const { builder, linear } = graph;
  const gated = (gate: Value, up: Value): Value =>
    cheap(graph, () => builder.mul(activate(builder, mlp.activation, gate), up));
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
      return cheap(graph, () => activate(builder, mlp.activation, up));
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
