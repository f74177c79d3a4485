import type { Value } from '../graph/value.ts';
import type { ExpertsPart } from './decoder-config.ts';
import { cheap, type DecoderGraph } from './decoder-graph.ts';
import { multiLayerPerceptron } from './mlp.ts';

/**
 * A sparse mixture of experts (arXiv 1701.06538, 2401.04088; transformers `MixtralSparseMoeBlock`),
 * `[tokens, hiddenSize] → [tokens, hiddenSize]`. Each expert computes its own tokens alone: their
 * rows are gathered, and what comes out is added to theirs. An expert may have none.
 */
export function mixtureOfExperts(graph: DecoderGraph, part: ExpertsPart, x: Value): Value {
  const { builder } = graph;
  const { name, experts, expertsPerToken } = part;
  return builder.withScope(name, () => {
    const { chosen, weights } = route(graph, part, x);
    const nothing = builder.withGradients(builder.mul(x, builder.scalar(0)), []);
    return experts.reduce((sum, expert, index) => {
      const column = (of: Value): Value => builder.slice(of, 1, index, index + 1);
      const tokens = builder.withScope(expert.name, () =>
        builder.nonZero(builder.reshape(column(chosen), [x.shape[0]!]), {
          count: `tokens of ${expert.name}`,
          share: expertsPerToken / experts.length,
        }),
      );
      const rows = cheap(graph, () => builder.gather(x, tokens));
      const weight = builder.gather(column(weights), tokens);
      const y = multiLayerPerceptron(graph, expert, rows, weight);
      return builder.scatterAddOnto(sum, tokens, y);
    }, nothing);
  });
}

interface Routing {
  /** bool `[tokens, experts]` */
  readonly chosen: Value;
  /** float32 `[tokens, experts]`: what each expert counts for each token, 0 where it is not chosen */
  readonly weights: Value;
}

/** Gradients go through the weights, as in transformers; which experts are chosen has none. */
function route(
  { builder, parameters }: DecoderGraph,
  { router, expertsPerToken, normalized }: ExpertsPart,
  x: Value,
): Routing {
  return builder.withScope(router.name, () => {
    const weight = builder.cast(parameters.stored(`${router.name}.weight`), 'float32');
    const probabilities = builder.softmax(builder.gemm(x, weight, { transB: true }));
    const chosen = builder.topKMask(probabilities, expertsPerToken);
    const kept = builder.where(chosen, probabilities, builder.scalar(0));
    const weights = normalized ? builder.div(kept, builder.reduceSum(kept, [1])) : kept;
    return { chosen, weights };
  });
}
