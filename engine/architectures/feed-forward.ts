import type { Value } from '../graph/value.ts';
import type { LayerPart } from './decoder-config.ts';
import type { DecoderGraph } from './decoder-graph.ts';
import { mixtureOfExperts } from './mixture-of-experts.ts';
import { multiLayerPerceptron } from './mlp.ts';

/** The feed-forward part of one layer, `[tokens, hiddenSize] → [tokens, hiddenSize]`. */
export function feedForward(graph: DecoderGraph, part: LayerPart['mlp'], x: Value): Value {
  return part.kind === 'experts'
    ? mixtureOfExperts(graph, part, x)
    : multiLayerPerceptron(graph, part, x);
}
