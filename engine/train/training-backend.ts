import type { ResolvedConfig } from '../config/schema.ts';
import type { Batch } from '../data/batches.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import type { BaseModel } from '../models/base-model.ts';
import type { ProgressEvent } from '../plan/plan-reports.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { ComputeMode } from '../weights/compute-mode.ts';
import type { SessionFacts } from './events.ts';
import type { Sampler } from './prompt-sampler.ts';
import type { StartingPoint } from './starting-point.ts';
import type { Trainee } from './trainee.ts';
import type { TrainerState } from './trainer-state.ts';

/** An optimizer step that is to be computed. */
export interface BackendStep {
  readonly batches: readonly Batch[];
  /** One for each batch: another one for every batch of a run, from 0 to 2³¹. */
  readonly dropoutSeeds: readonly number[];
  readonly learningRate: number;
}

/** What an optimizer step was. */
export interface StepResult {
  /** Mean per supervised token of all batches, before the update. */
  readonly loss: number;
  /** 2-norm of the gradient of that, before clipping. */
  readonly gradientNorm: number;
  /** The processes of this machine that computed it, by rank; absent where it was this one. */
  readonly ranks?: readonly RankShare[];
}

/** A process that did its part of an optimizer step. */
export interface RankShare {
  /** What it computes on. */
  readonly device: string;
  /** Bytes that it has after the step: of a GPU where it computes on one, otherwise resident. */
  readonly memory: number;
  /** Tokens that it computed with, without padding. */
  readonly tokens: number;
}

/** What computes a run (`engine.backend`). Plan, schedule, reports and files are the loop's. */
export interface TrainingBackend {
  /** What is trained. Its tensors are those of the last {@link fetch}, or of the start. */
  readonly trainee: Trainee;
  /** Adam's moments by the names of `expAvgName` and `expAvgSqName`, of the same time. */
  readonly moments: ReadonlyMap<string, StateTensor>;
  /** Computes a step; nothing is updated where loss or gradient are not finite. */
  step(step: BackendStep): Promise<StepResult>;
  /** Batches whose losses it computes at the same time. */
  readonly batchesAtOnce: number;
  /** The sum of the losses of so many batches' supervised tokens or fewer, with the weights as they are. */
  lossOf(batches: readonly Batch[]): Promise<number>;
  /** Brings weights and moments as they are to where they are read. */
  fetch(): Promise<void>;
  /** Frees all of it, the trainee too. */
  release(): Promise<void>;
}

/** What a backend is opened with. */
export interface BackendParts {
  readonly base: BaseModel;
  readonly tokenizer: Tokenizer;
  readonly plan: RunPlan;
  /** The held-out examples; none without evaluation. */
  readonly evaluation: readonly TokenizedExample[];
  readonly start: StartingPoint;
  readonly onEvent: (event: ProgressEvent) => void;
}

/** A backend with its model, ready for a run's next step. */
export interface OpenBackend {
  readonly backend: TrainingBackend;
  readonly sampler: Sampler | undefined;
  /** What a run tells of how it is computed. */
  readonly summary: Pick<
    SessionFacts,
    'device' | 'processes' | 'gradientCheckpointing' | 'compute' | 'computeTrials'
  >;
  /** The mode that it chose itself and that a run that goes on stays in. */
  readonly chosen: ComputeMode | undefined;
  /** Sentences of those who compute, which are told once; more may come with any step. */
  readonly notices: ReadonlySet<string>;
}

/** What a backend is chosen with, beside the configuration. */
export interface BackendQuestion {
  /** What rows of an earlier part of the run were padded to a multiple of, if there was one. */
  readonly padding: unknown;
  readonly onEvent: (event: ProgressEvent) => void;
  /** Told each line that a process of its prints. */
  readonly onOutput: (line: string) => void;
}

/** A backend that works here, before it has a model. */
export interface BackendChoice {
  /** The configuration, with what its device decides where that is left open. */
  readonly config: ResolvedConfig;
  readonly environment: TrainerState['environment'];
  /**
   * @throws LorafaError for a model, an adapter or a checkpoint that it cannot compute with
   */
  open(parts: BackendParts): Promise<OpenBackend>;
  /** Ends what was started for it. */
  release(): Promise<void>;
}
