import { z } from 'zod';
import type { ResolvedConfig } from '../config/schema.ts';
import type { Learning } from './learning.ts';

/** What can be wrong with the course of a run that came to its end. */
const KINDS = [
  /** The loss rose, or is no number. */
  'exploded',
  /** Nothing, or next to nothing, changed. */
  'flat',
  /** The training rows were learned, and the held-out ones were not. */
  'memorized',
  /** It was better than at its end. */
  'overfitted',
] as const;

/** Schema of {@link Verdict}. */
export const verdictSchema = z.object({
  kind: z.enum(KINDS),
  /** What was seen, a sentence for people. */
  message: z.string(),
  /** What to try, a sentence for people. */
  advice: z.string(),
});

/** Why a run has not learned what it was to learn. */
export type Verdict = Readonly<z.infer<typeof verdictSchema>>;

/** Of the configuration what a verdict goes by. */
export type VerdictSettings = Pick<ResolvedConfig['training'], 'method' | 'learning_rate'>;

/** Rates that are usual for each method; see `training.learning_rate`. */
const USUAL: { readonly [K in VerdictSettings['method']]: number } = {
  lorafa: 3e-4,
  lora: 2e-4,
  full: 2e-5,
};
/** A rate of more or fewer times the usual one is the first suspect; of the square, the culprit. */
const FAR = 10;
/** With such a rate, a loss this many times as large as before is no chance… */
const JUMP = 1.3;
/** …unless so little is left of it in the end. */
const LEFT = 0.25;
/** An evaluation is better only by more than this share of the loss. */
const NOTICEABLE = 1e-3;
/** Steps after which an evaluation should have become better, and reports that are not all chance. */
const ENOUGH_STEPS = 10;
/** Reports of an epoch that make a mean. */
const ENOUGH_REPORTS = 4;

/**
 * Whether a run has learned nothing, as far as its course tells: the loss on held-out rows before
 * training against the best and the latest one; without them the loss of the first and the last whole
 * epoch, or of the start and the end. Where that could be chance, there is no verdict.
 *
 * @param isOver false while it goes on, when only what has gone wrong for good is told
 */
export function judgeLearning(
  learning: Learning,
  settings: VerdictSettings,
  isOver: boolean,
): Verdict | null {
  return (
    explodedVerdict(learning, settings) ??
    (isOver ? (rateVerdict(learning) ?? finalVerdict(learning, settings)) : null)
  );
}

function explodedVerdict(learning: Learning, settings: VerdictSettings): Verdict | null {
  const { base, best, last, first, recent, reports } = learning;
  const advice = lowerRate(settings);
  if (last !== null && last.loss === null) {
    const message = `The evaluation at step ${last.step} gave no number: the weights are too large.`;
    return { kind: 'exploded', message, advice };
  }
  // What was better once is told at the end, with where that was.
  if (base !== null && best !== null && last !== null) {
    const isFar = last.loss! > 1.1 * base + 0.05 && best.loss > base * (1 - NOTICEABLE);
    const message = `The evaluation loss rose from ${shown(base)} before training to ${shown(last.loss!)} at step ${last.step}.`;
    if (isFar) return { kind: 'exploded', message, advice };
    return unsteadyVerdict(learning, settings, last.loss! / base);
  }
  // The first batch is one of many, whose losses differ: with a usual rate only a multiple counts.
  const isSuspect = isCulprit(learning, settings);
  const limit = isSuspect ? 1.1 * first[0]! + 0.1 : 2 * first[0]! + 1;
  const end = mean(recent.slice(-halfOf(reports)));
  if (reports < (isSuspect ? 2 : ENOUGH_STEPS)) return null;
  if (!(end > limit)) return unsteadyVerdict(learning, settings, end / first[0]!);
  const message = `The training loss rose from ${shown(first[0]!)} to ${shown(end)}.`;
  return { kind: 'exploded', message, advice };
}

/** What a rate that is far too high leaves: a loss that jumps up again and again, and stays high. */
function unsteadyVerdict(
  learning: Learning,
  settings: VerdictSettings,
  left: number,
): Verdict | null {
  const { largestRise, reports } = learning;
  if (!isCulprit(learning, settings) || reports < ENOUGH_REPORTS) return null;
  if (largestRise < JUMP || left < LEFT) return null;
  return {
    kind: 'exploded',
    message: `The training loss jumped up to ${largestRise.toFixed(1)} times of what it had been, and is still ${shown(mean(learning.recent.slice(-halfOf(reports))))}.`,
    advice: lowerRate(settings),
  };
}

function isCulprit({ peakRate }: Learning, { method }: VerdictSettings): boolean {
  return peakRate > FAR * FAR * USUAL[method];
}

function rateVerdict({ peakRate, reports, steps }: Learning): Verdict | null {
  if (reports === 0 || peakRate > 0) return null;
  return {
    kind: 'flat',
    message: `The learning rate was 0 in ${steps === 1 ? 'its only step' : `all reports of its ${steps} steps`}: the warm-up is as long as the run.`,
    advice: 'Lower training.warmup_steps or training.warmup_ratio, or train for more steps.',
  };
}

function finalVerdict(learning: Learning, settings: VerdictSettings): Verdict | null {
  const { base, best, last, steps } = learning;
  if (base === null || best === null || last === null) return withoutEvaluation(learning, settings);
  if (steps < ENOUGH_STEPS) return null;
  const isBetter = best.loss < base * (1 - NOTICEABLE);
  if (isBetter && last.loss! < base) return null;
  if (isBetter) {
    return {
      kind: 'overfitted',
      message: `The evaluation loss was best at step ${best.step} (${shown(best.loss)}) and ended at ${shown(last.loss!)}, no better than the ${shown(base)} before training.`,
      advice: `Use a checkpoint near step ${best.step}, or train for fewer epochs or with a lower training.learning_rate.`,
    };
  }
  const seen = `The evaluation loss is no better than before training: ${shown(base)}, then ${shown(best.loss)} at best.`;
  const k = halfOf(learning.reports);
  const [start, end] = [mean(learning.first.slice(0, k)), mean(learning.recent.slice(-k))];
  if (k >= ENOUGH_REPORTS && end < 0.9 * start) {
    return {
      kind: 'memorized',
      message: `${seen} The training loss fell from ${shown(start)} to ${shown(end)}.`,
      advice:
        'It learns its rows by heart: give it more and more varied rows, train for fewer epochs, and see whether the held-out rows are alike.',
    };
  }
  return { kind: 'flat', message: seen, advice: higherRate(settings) };
}

function withoutEvaluation(learning: Learning, settings: VerdictSettings): Verdict | null {
  const whole = learning.epochs.filter(({ index }) => index < Math.floor(learning.epoch));
  const [first, last] = [whole[0], whole.at(-1)];
  if (first === undefined || last === undefined || first.index === last.index) return null;
  if (Math.min(first.reports, last.reports) < ENOUGH_REPORTS) return null;
  if (first.reports + last.reports < 2 * ENOUGH_STEPS) return null;
  const [start, end] = [first.sum / first.reports, last.sum / last.reports];
  if (end < start * (1 - NOTICEABLE)) return null;
  return {
    kind: 'flat',
    message: `The training loss did not fall: ${shown(start)} in epoch 1, ${shown(end)} in epoch ${last.index + 1}.`,
    advice: higherRate(settings),
  };
}

function lowerRate({ method, learning_rate: rate }: VerdictSettings): string {
  return rate > FAR * USUAL[method]
    ? `Lower training.learning_rate: it is ${rate}, and ${usual(method)}.`
    : `Lower training.learning_rate (now ${rate}), for example to a tenth, and look at the rows in the data preview.`;
}

function higherRate({ method, learning_rate: rate }: VerdictSettings): string {
  if (rate < USUAL[method] / FAR) {
    return `Raise training.learning_rate: it is ${rate}, and ${usual(method)}.`;
  }
  if (rate > FAR * USUAL[method]) return lowerRate({ method, learning_rate: rate });
  return 'See in the data preview that the right tokens are learned; then train for more steps, with a larger lora.r or another training.learning_rate.';
}

function usual(method: VerdictSettings['method']): string {
  return `${USUAL[method].toExponential()} is usual for ${method}`;
}

/** Reports of the start or of the end, so that none is in both. */
function halfOf(reports: number): number {
  return Math.max(1, Math.floor(reports / 2));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function shown(loss: number): string {
  return loss.toFixed(3);
}
