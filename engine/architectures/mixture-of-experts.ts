import type { GraphBuilder } from '../graph/builder.ts';
import { type Dim, mulDims } from '../graph/dim.ts';
import type { Value } from '../graph/value.ts';
import type { ExpertsPart } from './decoder-config.ts';
import type { DecoderGraph } from './decoder-graph.ts';
import { multiLayerPerceptron } from './mlp.ts';

/**
 * A sparse mixture of experts (arXiv 1701.06538, 2401.04088; transformers `MixtralSparseMoeBlock`),
 * `[tokens, hiddenSize] → [tokens, hiddenSize]`. There is a row for each expert of each token, sorted
 * by experts, so that each computes rows that follow each other, or none.
 */
export function mixtureOfExperts(graph: DecoderGraph, part: ExpertsPart, x: Value): Value {
  const { builder } = graph;
  const { name, experts } = part;
  return builder.withScope(name, () => {
    const routing = route(graph, part, x);
    const order = sortByExpert(graph, part, routing.chosen);
    const ofPairs = builder.reshape(routing.weights, [mulDims(order.tokens, experts.length), 1]);
    const weights = builder.gather(ofPairs, order.pairOfRow);
    const rows = toRows(graph, order, x);
    const results = experts.map((expert, index) => {
      const own = (of: Value): Value =>
        builder.segment(of, order.ends, index, `tokens of ${expert.name}`);
      return multiLayerPerceptron(graph, expert, own(rows), own(weights));
    });
    return toTokens(graph, order, builder.joinSegments(results, order.ends, order.rows));
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

/** Rows sorted by experts. Pairs of a token and an expert are numbered token by token. */
interface Order {
  readonly tokens: Dim;
  readonly expertsPerToken: number;
  /** `tokens · expertsPerToken` */
  readonly rows: Dim;
  /** int64 `[rows]` */
  readonly tokenOfRow: Value;
  /** int64 `[rows]` */
  readonly pairOfRow: Value;
  /** int64 `[rows]`: the row of each chosen pair */
  readonly rowOfChosen: Value;
  /** int64 `[experts]`: the number of the row after each expert's last */
  readonly ends: Value;
}

function sortByExpert(
  { builder }: DecoderGraph,
  { experts, expertsPerToken }: ExpertsPart,
  chosen: Value,
): Order {
  const tokens = chosen.shape[0]!;
  const rows = mulDims(tokens, expertsPerToken);
  const pairs = mulDims(tokens, experts.length);
  const places = (mask: Value): readonly [Value, Value] => {
    const both = builder.nonZero(mask, rows);
    const axis = (at: number): Value => builder.reshape(builder.slice(both, 0, at, at + 1), [rows]);
    return [axis(0), axis(1)];
  };
  const pairOf = (token: Value, expert: Value): Value =>
    builder.add(builder.mul(token, builder.scalar(experts.length, 'int64')), expert);
  const byExpert = builder.transpose(chosen, [1, 0]);
  const [expertOfRow, tokenOfRow] = places(byExpert);
  const ones = builder.cast(byExpert, 'int64');
  const counted = builder.cumSum(builder.reshape(ones, [pairs]));
  const row = builder.sub(counted, builder.scalar(1, 'int64'));
  const rowOfPair = builder.transpose(builder.reshape(row, byExpert.shape), [1, 0]);
  return {
    tokens,
    expertsPerToken,
    rows,
    tokenOfRow,
    pairOfRow: pairOf(tokenOfRow, expertOfRow),
    rowOfChosen: builder.gather(builder.reshape(rowOfPair, [pairs]), pairOf(...places(chosen))),
    ends: builder.cumSum(builder.reshape(builder.reduceSum(ones, [1]), [experts.length])),
  };
}

/**
 * Copies of tokens and sums of rows are each other's gradients, so that neither needs a scatter: it
 * would be slow, for ONNX Runtime makes it on one thread.
 */
function toRows(graph: DecoderGraph, order: Order, x: Value): Value {
  const { builder } = graph;
  return builder.withGradients(builder.gather(x, order.tokenOfRow), [
    { input: x, pullback: (cotangent, current) => sumOfRows(builder, order, cotangent, current) },
  ]);
}

function toTokens({ builder }: DecoderGraph, order: Order, rows: Value): Value {
  return builder.withGradients(
    sumOfRows(builder, order, rows, (value) => value),
    [
      {
        input: rows,
        pullback: (cotangent, current) => builder.gather(cotangent, current(order.tokenOfRow)),
      },
    ],
  );
}

/** For each token the sum of its rows, `[rows, n] → [tokens, n]`. */
function sumOfRows(
  builder: GraphBuilder,
  { tokens, expertsPerToken, rowOfChosen }: Order,
  rows: Value,
  current: (value: Value) => Value,
): Value {
  const width = rows.shape[1]!;
  const together = builder.reshape(builder.gather(rows, current(rowOfChosen)), [
    tokens,
    expertsPerToken,
    width,
  ]);
  return builder.reshape(builder.reduceSum(together, [1]), [tokens, width]);
}
