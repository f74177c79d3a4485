import type { RowLayout } from '../data/epoch-plan.ts';
import { type ErrorCode, LorafaError, messageOf } from '../errors.ts';
import type { ComputeMode } from '../models/compute-mode.ts';

/**
 * What a training run reports while it goes, in the order in which it happens. The same objects
 * are drawn as a progress bar, printed as JSON lines (`lorafa train --json`) and kept in the run's
 * journal, so every field is plain JSON. Names that transformers' Trainer logs keep its spelling.
 */
export type TrainEvent =
  | ProgressEvent
  | StartedEvent
  | StepEvent
  | EvalEvent
  | SampleEvent
  | CheckpointEvent
  | WarningEvent
  | StoppedEvent
  | CancelledEvent
  | FailedEvent
  | CompletedEvent;

/** A slow preparation before the first step, such as unpacking weights or tokenizing rows. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** What is being done, as words for a person: "unpacking weights". */
  readonly task: string;
  /** `done` of `total` units; the unit is the task's own. */
  readonly done: number;
  readonly total: number;
}

/** Everything is checked and loaded; the first optimizer step comes next. */
export interface StartedEvent {
  readonly type: 'started';
  readonly run: RunSummary;
}

/** The fixed facts of a run. */
export interface RunSummary {
  /** Optimizer steps of the whole run, those before a resume included. */
  readonly steps: number;
  /** Optimizer steps already done by the checkpoint that the run resumes from, otherwise 0. */
  readonly resumedAt: number;
  readonly stepsPerEpoch: number;
  readonly trainableParameters: number;
  readonly totalParameters: number;
  /** The device that really runs the graph, e.g. `cpu` or `cuda:0`; never `auto`. */
  readonly device: string;
  /** What the backward pass computes again; never `auto`. */
  readonly gradientCheckpointing: 'none' | 'attention' | 'layer';
  readonly padding: PaddingReport;
  /** How products with the frozen weights are computed; never `auto`. */
  readonly compute: ComputeMode;
  /** What `engine.compute: "auto"` measured to choose it; absent where nothing was measured. */
  readonly computeTrials?: readonly ComputeTrial[];
  readonly dataset: { readonly train: SplitReport; readonly eval?: SplitReport };
}

/** What one way of computing was found to be on the first batch of a run. */
export interface ComputeTrial {
  readonly mode: ComputeMode;
  /** The largest distance of a gradient from that in float32, relative to its norm. */
  readonly error: number;
  /** Of a step; absent where the error is too large for the mode to be taken. */
  readonly seconds?: number;
}

/** How the rows of a training epoch are filled, and how they would be in the other way. */
export interface PaddingReport {
  /** `data.packing`: which of the two the run does. */
  readonly packing: boolean;
  /** Every row one example. */
  readonly unpacked: RowLayout;
  /** Several examples in a row. */
  readonly packed: RowLayout;
}

/** Counts over one split of the data, after tokenizing and truncation. */
export interface SplitReport {
  /** Rows that take part in the run. */
  readonly rows: number;
  readonly tokens: number;
  /** Tokens that the loss is computed on. */
  readonly supervisedTokens: number;
  /** Rows cut at `data.max_length`. */
  readonly truncatedRows: number;
  /** Rows left out because they could not be used. */
  readonly droppedRows: number;
}

/** One optimizer step (reported every `training.logging_steps` steps). */
export interface StepEvent {
  readonly type: 'step';
  /** Optimizer steps done so far, counted from 1. */
  readonly step: number;
  readonly maxSteps: number;
  /** Passes over the data done so far, fractional. */
  readonly epoch: number;
  /** Mean loss per supervised token over the steps since the last report. */
  readonly loss: number;
  /** Global 2-norm of the gradient before clipping. */
  readonly grad_norm: number;
  readonly learning_rate: number;
  /** Tokens (padding excluded) consumed by the whole run so far. */
  readonly num_tokens: number;
  /** Tokens (padding excluded) per second since the last report. */
  readonly tokens_per_second: number;
}

/** One pass over the evaluation split. */
export interface EvalEvent {
  readonly type: 'eval';
  readonly step: number;
  readonly epoch: number;
  /** Mean loss per supervised token. */
  readonly eval_loss: number;
  /** `exp(eval_loss)`. */
  readonly eval_perplexity: number;
  /** Seconds that the evaluation took. */
  readonly eval_runtime: number;
}

/** What the model, as it is now, answers to one of `training.sample_prompts`. */
export interface SampleEvent {
  readonly type: 'sample';
  readonly step: number;
  readonly prompt: string;
  readonly text: string;
}

/** A checkpoint that is complete on disk. */
export interface CheckpointEvent {
  readonly type: 'checkpoint';
  readonly step: number;
  /** Absolute path of the checkpoint's folder. */
  readonly dir: string;
}

/** Something that does not stop the run but that its owner should know. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly message: string;
}

/** The run ended before its last step because someone asked for it, and was saved. */
export interface StoppedEvent {
  readonly type: 'stopped';
  readonly step: number;
  /** Absolute path of the checkpoint of that step, to resume from. */
  readonly checkpoint_dir: string;
}

/** The run ended because someone asked for it; what came after its newest checkpoint is dropped. */
export interface CancelledEvent {
  readonly type: 'cancelled';
  readonly step: number;
  /** Absolute path of this session's newest checkpoint, to resume from; null where it wrote none. */
  readonly checkpoint_dir: string | null;
}

/** The run ended by an error. */
export interface FailedEvent {
  readonly type: 'failed';
  readonly code: ErrorCode;
  /** A sentence for people. */
  readonly message: string;
}

/** The run is over and its result is complete on disk. */
export interface CompletedEvent {
  readonly type: 'completed';
  /** Absolute path of the adapter's folder (with `training.method: "full"`, of the model's). */
  readonly adapter_dir: string;
  readonly steps: number;
  /** Mean loss of all steps of the run, those before a resume included. */
  readonly train_loss: number;
  /** Seconds from the first to the last step of this session. */
  readonly train_runtime: number;
}

/** What a run, or another command, says of the error that ends it. */
export function failedEvent(error: unknown): FailedEvent {
  const code: ErrorCode = error instanceof LorafaError ? error.code : 'internal.unexpected';
  return { type: 'failed', code, message: messageOf(error) };
}
