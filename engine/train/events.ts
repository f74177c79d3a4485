import { z } from 'zod';
import { type ErrorCode, LorafaError, messageOf } from '../errors.ts';
import type { Frozen } from '../frozen.ts';
import { paddingReport, progressEvent, splitReport } from '../plan/plan-reports.ts';
import { SIZED } from '../sized.ts';
import { COMPUTE_MODES } from '../weights/compute-mode.ts';
import { verdictSchema } from './verdict.ts';

/**
 * What a training run reports while it goes, in the order in which it happens. The same objects
 * are drawn as a progress bar, printed as JSON lines (`lorafa train --json`) and kept in the run's
 * journal, so every field is plain JSON. Names that transformers' Trainer logs keep its spelling.
 *
 * A journal is read again by others than those who wrote it, so the types are made from the schemas
 * that it is checked against: a new event is a schema here, in {@link EVENT_SCHEMAS}.
 */

const count = z.int().nonnegative();
/** A path or a name. */
const name = z.string().max(2 ** 16, SIZED);
/** A text of any length that fits a line of the journal. */
const text = z.string();
/** A number that may not be finite, which JSON writes as null. */
const measured = z.union([z.number(), z.null().transform(() => Number.NaN)]);

/** What one way of computing was found to be on the first batch of a run. */
export type ComputeTrial = Frozen<z.infer<typeof computeTrial>>;

const computeTrial = z.object({
  mode: z.enum(COMPUTE_MODES),
  /** The largest distance of a gradient from that in float32, relative to its norm. */
  error: z.number().nonnegative(),
  /** Of a step; absent where the error is too large for the mode to be taken. */
  seconds: z.number().nonnegative().exactOptional(),
});

/** The fixed facts of a run, as one of its sessions begins. */
export type SessionFacts = Frozen<z.infer<typeof sessionFacts>>;

const sessionFacts = z.object({
  /** Optimizer steps of the whole run, those before a resume included. */
  steps: count,
  /** Optimizer steps already done by the checkpoint that the run resumes from, otherwise 0. */
  resumedAt: count,
  stepsPerEpoch: count,
  trainableParameters: count,
  totalParameters: count,
  /** The device that really runs the graph, e.g. `cpu` or `cuda:0`; never `auto`. */
  device: name,
  /** Processes of Accelerate that compute the run; absent where this program does. */
  processes: count.exactOptional(),
  /** What the backward pass computes again; never `auto`. */
  gradientCheckpointing: z.enum(['none', 'attention', 'layer']),
  padding: paddingReport,
  /** How products with the frozen weights are computed; never `auto`. */
  compute: z.enum(COMPUTE_MODES),
  /** What `engine.compute: "auto"` measured to choose it; absent where nothing was measured. */
  computeTrials: z.array(computeTrial).max(COMPUTE_MODES.length, SIZED).exactOptional(),
  dataset: z.object({ train: splitReport, eval: splitReport.exactOptional() }),
});

/** Everything is checked and loaded; the first optimizer step comes next. */
export type StartedEvent = Frozen<z.infer<typeof startedEvent>>;

const startedEvent = z.object({ type: z.literal('started'), run: sessionFacts });

/** A process that computes a run, beside the one that tells of it. */
export type RankUsage = Frozen<z.infer<typeof rankUsage>>;

const rankUsage = z.object({
  /** As PyTorch calls it, e.g. `cuda:0`. */
  device: name,
  /** Bytes after the step: of the GPU that it computes on, otherwise resident. */
  memory: z.number().nonnegative(),
  /** Its part of the tokens per second of the run. */
  tokens_per_second: measured,
});

/** More than there are processes. */
const MAX_RANKS = 2 ** 16;

/** One optimizer step (reported every `training.logging_steps` steps). */
export type StepEvent = Frozen<z.infer<typeof stepEvent>>;

const stepEvent = z.object({
  type: z.literal('step'),
  /** Optimizer steps done so far, counted from 1. */
  step: count,
  maxSteps: count,
  /** Passes over the data done so far, fractional. */
  epoch: z.number().nonnegative(),
  /** Mean loss per supervised token over the steps since the last report. */
  loss: z.number(),
  /** Global 2-norm of the gradient before clipping. */
  grad_norm: z.number().nonnegative(),
  learning_rate: z.number().nonnegative(),
  /** Tokens (padding excluded) consumed by the whole run so far. */
  num_tokens: count,
  /** Tokens (padding excluded) per second since the last report. */
  tokens_per_second: measured,
  /** The processes that computed it, by rank; absent where it was this one. */
  ranks: z.array(rankUsage).max(MAX_RANKS, SIZED).exactOptional(),
});

/** One pass over the evaluation split; that of step 0 tells how good the model was before. */
export type EvalEvent = Frozen<z.infer<typeof evalEvent>>;

const evalEvent = z.object({
  type: z.literal('eval'),
  step: count,
  epoch: z.number().nonnegative(),
  /** Mean loss per supervised token. */
  eval_loss: measured,
  /** `exp(eval_loss)`. */
  eval_perplexity: measured,
  /** Seconds that the evaluation took. */
  eval_runtime: z.number().nonnegative(),
});

/** What the model, as it is now, answers to one of `training.sample_prompts`. */
export type SampleEvent = Frozen<z.infer<typeof sampleEvent>>;

const sampleEvent = z.object({ type: z.literal('sample'), step: count, prompt: text, text });

/** A checkpoint that is complete on disk. */
export type CheckpointEvent = Frozen<z.infer<typeof checkpointEvent>>;

const checkpointEvent = z.object({
  type: z.literal('checkpoint'),
  step: count,
  /** Absolute path of the checkpoint's folder. */
  dir: name,
});

/** Whether the run learns, each time that the answer is another one. */
export type VerdictEvent = Frozen<z.infer<typeof verdictEvent>>;

const verdictEvent = z.object({
  type: z.literal('verdict'),
  step: count,
  /** Null: nothing speaks against it any more. */
  verdict: verdictSchema.nullable(),
});

/** Something that does not stop the run but that its owner should know. */
export type WarningEvent = Frozen<z.infer<typeof warningEvent>>;

const warningEvent = z.object({ type: z.literal('warning'), message: text });

/** The run ended before its last step because someone asked for it, and was saved. */
export type StoppedEvent = Frozen<z.infer<typeof stoppedEvent>>;

const stoppedEvent = z.object({
  type: z.literal('stopped'),
  step: count,
  /** Absolute path of the checkpoint of that step, to resume from. */
  checkpoint_dir: name.nullable(),
});

/** The run ended because someone asked for it; what came after its newest checkpoint is dropped. */
export type CancelledEvent = Frozen<z.infer<typeof cancelledEvent>>;

const cancelledEvent = z.object({
  type: z.literal('cancelled'),
  step: count,
  /** Absolute path of this session's newest checkpoint, to resume from; null where it wrote none. */
  checkpoint_dir: name.nullable(),
});

/** The run ended by an error. */
export type FailedEvent = Frozen<z.infer<typeof failedEventSchema>>;

const failedEventSchema = z.object({
  type: z.literal('failed'),
  /** An `ErrorCode`, perhaps of another version. */
  code: name,
  /** A sentence for people. */
  message: text,
});

/** The run is over and its result is complete on disk. */
export type CompletedEvent = Frozen<z.infer<typeof completedEvent>>;

const completedEvent = z.object({
  type: z.literal('completed'),
  /** Absolute path of the adapter's folder (with `training.method: "full"`, of the model's). */
  adapter_dir: name,
  steps: count,
  /** Mean loss of all steps of the run, those before a resume included. */
  train_loss: z.number(),
  /** Seconds from the first to the last step of this session. */
  train_runtime: z.number().nonnegative(),
  /** Losses of the result, where that is not the model of the run's last step. */
  loss: z.number().nullable().exactOptional(),
  eval_loss: z.number().nullable().exactOptional(),
  /** Step whose model the result is, where that is the best and not the last one. */
  result_step: count.exactOptional(),
});

/** The schema of every event, by its type. */
export const EVENT_SCHEMAS = {
  progress: progressEvent,
  started: startedEvent,
  step: stepEvent,
  eval: evalEvent,
  sample: sampleEvent,
  checkpoint: checkpointEvent,
  verdict: verdictEvent,
  warning: warningEvent,
  stopped: stoppedEvent,
  cancelled: cancelledEvent,
  failed: failedEventSchema,
  completed: completedEvent,
} as const;

/** Anything that a run reports. */
export type TrainEvent = {
  [K in keyof typeof EVENT_SCHEMAS]: Frozen<z.infer<(typeof EVENT_SCHEMAS)[K]>>;
}[keyof typeof EVENT_SCHEMAS];

/** What a run, or another command, says of the error that ends it. */
export function failedEvent(error: unknown): FailedEvent & { readonly code: ErrorCode } {
  const code = error instanceof LorafaError ? error.code : 'internal.unexpected';
  return { type: 'failed', code, message: messageOf(error) };
}
