import { z } from 'zod';
import { SIZED } from '../sized.ts';
import type { TrainEvent } from './events.ts';

/** Losses that are kept of the start and of the end of a run: enough for a mean and its spread. */
const KEPT = 20;

const count = z.int().nonnegative();
const losses = z.array(z.number()).max(KEPT, SIZED);

/** Schema of {@link Learning}, which checkpoints hold. */
export const learningSchema = z.object({
  /** Evaluation loss before the first step; null where there was no evaluation then. */
  base: z.number().nullable(),
  /** The lowest evaluation loss since. */
  best: z.object({ step: count, loss: z.number() }).nullable(),
  /** The latest evaluation loss since; its loss is null where it was no number. */
  last: z.object({ step: count, loss: z.number().nullable() }).nullable(),
  /** Losses of the first and of the latest reports. */
  first: losses,
  recent: losses,
  reports: count,
  /** The lowest loss, and how often as large one after it was at most. */
  lowest: z.number().nullable(),
  largestRise: z.number().nonnegative(),
  /** Optimizer steps, and passes over the data, done. */
  steps: count,
  epoch: z.number().nonnegative(),
  /** The largest learning rate of a report. */
  peakRate: z.number().nonnegative(),
  /** Losses of whole passes over the data, each over the same rows: of the first and the two latest. */
  epochs: z.array(z.object({ index: count, sum: z.number(), reports: count })).max(3, SIZED),
});

/** What of a run's course tells whether it learns, in a size that does not grow with the run. */
export type Learning = Readonly<z.infer<typeof learningSchema>>;

/** That of a run before its first event. */
export const NO_LEARNING: Learning = {
  base: null,
  best: null,
  last: null,
  first: [],
  recent: [],
  reports: 0,
  lowest: null,
  largestRise: 1,
  steps: 0,
  epoch: 0,
  peakRate: 0,
  epochs: [],
};

/** The course of a run with one more of its events. */
export function learningAfter(learning: Learning, event: TrainEvent): Learning {
  if (event.type === 'eval') {
    const { step } = event;
    const loss = Number.isFinite(event.eval_loss) ? event.eval_loss : null;
    if (step === 0) return { ...learning, base: loss };
    const { best } = learning;
    const isBest = loss !== null && (best === null || loss < best.loss);
    return { ...learning, last: { step, loss }, best: isBest ? { step, loss } : best };
  }
  if (event.type !== 'step') return learning;
  const { loss, epoch, step, learning_rate: rate } = event;
  const lowest = Math.min(learning.lowest ?? loss, loss);
  return {
    ...learning,
    first: [...learning.first, loss].slice(0, KEPT),
    recent: [...learning.recent, loss].slice(-KEPT),
    reports: learning.reports + 1,
    lowest,
    largestRise: Math.max(learning.largestRise, lowest > 0 ? loss / lowest : 1),
    steps: step,
    epoch,
    peakRate: Math.max(learning.peakRate, rate),
    epochs: withLoss(learning.epochs, Math.max(0, Math.ceil(epoch) - 1), loss),
  };
}

function withLoss(epochs: Learning['epochs'], index: number, loss: number): Learning['epochs'] {
  const latest = epochs.at(-1);
  if (latest?.index === index) {
    const { sum, reports } = latest;
    return [...epochs.slice(0, -1), { index, sum: sum + loss, reports: reports + 1 }];
  }
  const kept = epochs.length < 3 ? epochs : [epochs[0]!, epochs[2]!];
  return [...kept, { index, sum: loss, reports: 1 }];
}
