import { LorafaError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { GenerationOptions } from './generation-options.ts';

/** The options that decide how likely each token is. */
export type SamplingOptions = Pick<
  GenerationOptions,
  'temperature' | 'top_k' | 'top_p' | 'repetition_penalty'
>;

/**
 * Chooses the next token, in transformers' order: repetition penalty, temperature, top_k, top_p.
 * Of equally likely tokens a greedy choice takes the first.
 *
 * @param logits `[vocabSize]`, left as it is
 * @param seen the tokens of the text so far, prompt included
 * @param random not used by a greedy choice (temperature 0)
 * @throws LorafaError `model.not_finite` when a logit is not a number
 */
export function sampleToken(
  logits: Float32Array,
  seen: ReadonlySet<number>,
  options: SamplingOptions,
  random: Random,
): number {
  const scores = penalizeRepetition(logits, seen, options.repetition_penalty);
  if (options.temperature === 0) return likeliest(scores);
  return draw(tokenProbabilities(scores, options), random);
}

/**
 * Logits in which those of `seen` tokens are divided by the penalty where positive and multiplied
 * where negative (transformers `RepetitionPenaltyLogitsProcessor`).
 */
export function penalizeRepetition(
  logits: Float32Array,
  seen: ReadonlySet<number>,
  penalty: number,
): Float32Array {
  if (penalty === 1) return logits;
  const penalized = logits.slice();
  for (const token of seen) {
    const logit = logits[token]!;
    penalized[token] = logit < 0 ? logit * penalty : logit / penalty;
  }
  return penalized;
}

/**
 * What each token is drawn with after temperature, top_k and top_p; they sum up to 1. Tokens that
 * tie with the last one that is kept are kept too.
 *
 * @throws LorafaError `model.not_finite`
 */
export function tokenProbabilities(
  logits: Float32Array,
  { temperature, top_k, top_p }: Omit<SamplingOptions, 'repetition_penalty'>,
): Float64Array {
  const max = logits[likeliest(logits)]!;
  const isLimited = top_k > 0 && top_k < logits.length;
  const lowestLogit = isLimited ? logits.toSorted()[logits.length - top_k]! : -Infinity;
  const weights = new Float64Array(logits.length);
  for (let token = 0; token < weights.length; token++) {
    const logit = logits[token]!;
    if (logit >= lowestLogit) weights[token] = Math.exp((logit - max) / temperature);
  }
  const lowestWeight = top_p < 1 ? nucleusThreshold(weights, top_p) : 0;
  for (let token = 0; token < weights.length; token++) {
    if (weights[token]! < lowestWeight) weights[token] = 0;
  }
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}

/** The smallest weight of a token such that those before it have not reached `top_p` together. */
function nucleusThreshold(weights: Float64Array, top_p: number): number {
  const total = sum(weights);
  // All weights below this together are less than what top_p leaves out, so they need no sorting.
  const negligible = ((1 - top_p) * total) / weights.length;
  const ascending = weights.filter((weight) => weight > 0 && weight >= negligible).sort();
  let reached = 0;
  let rank = ascending.length;
  while (rank > 0 && reached < top_p * total) reached += ascending[--rank]!;
  return ascending[rank]!;
}

function draw(probabilities: Float64Array, random: Random): number {
  let left = random.uniform();
  let drawn = 0;
  for (let token = 0; token < probabilities.length && left >= 0; token++) {
    const probability = probabilities[token]!;
    if (probability === 0) continue;
    left -= probability;
    // Rounding may leave a rest after the last token, which is then the one.
    drawn = token;
  }
  return drawn;
}

function likeliest(scores: Float32Array): number {
  let best = 0;
  for (let token = 0; token < scores.length; token++) {
    if (Number.isNaN(scores[token])) throw notFinite();
    if (scores[token]! > scores[best]!) best = token;
  }
  if (!Number.isFinite(scores[best])) throw notFinite();
  return best;
}

function notFinite(): LorafaError {
  return new LorafaError(
    'model.not_finite',
    'The model computed logits that are not finite numbers, so no token can be chosen; its weights or the adapter are damaged.',
  );
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
