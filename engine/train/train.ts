import { withConfigFile } from '../accelerate/config-file.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import { fetchInputs, type LocalInputs } from '../inputs/hub-inputs.ts';
import type { BaseModel } from '../models/base-model.ts';
import { countParameters } from '../plan/parameter-count.ts';
import { requirePositions } from '../plan/position-limit.ts';
import { loadRunData, type RunData } from '../plan/run-data.ts';
import { openRunModel } from '../plan/run-model.ts';
import { planRun, type RunPlan } from '../plan/run-plan.ts';
import { loadRunTokenizer } from '../plan/run-tokenizer.ts';
import { openReports } from '../report/open-reports.ts';
import { examineWeights } from '../weights/examine-weights.ts';
import { chooseBackend } from './choose-backend.ts';
import { TrainControl } from './control.ts';
import { type FailedEvent, failedEvent, type SessionFacts, type TrainEvent } from './events.ts';
import { withSettings } from './memory-way-out.ts';
import { refuseOccupied } from './occupied-folder.ts';
import { findExamples, writeExamples } from './run-examples.ts';
import { RunFolder } from './run-folder.ts';
import { newTracked, type RunRecord } from './run-record.ts';
import { type ResumedRun, resumedRun, startingPoint } from './starting-point.ts';
import type { Trainee } from './trainee.ts';
import type { TrainerState } from './trainer-state.ts';
import type { BackendChoice, OpenBackend } from './training-backend.ts';
import { TrainingLoop } from './training-loop.ts';

/** What the caller of a run may give and take. */
export interface TrainOptions {
  /** Called in order with everything that happens; what the journal holds is the same. */
  readonly onEvent: (event: TrainEvent) => void;
  /** Told each line that a process which computes prints, for a log. */
  readonly onOutput?: (line: string) => void;
  /** Pauses, stops or asks for checkpoints. */
  readonly control?: TrainControl;
  /** The parent process holds the lock of the run folder; by default the run takes it itself. */
  readonly isLocked?: boolean;
}

/** How a run ended. */
export interface TrainResult {
  readonly status: 'completed' | 'stopped' | 'cancelled';
  /** Optimizer steps done. */
  readonly steps: number;
  /** The folder of the adapter (or model); absent unless completed. */
  readonly adapterDir?: string;
}

/**
 * Fine-tunes a model as the configuration says. Everything that can be checked is checked before
 * anything is written.
 *
 * @throws LorafaError as `withConfigFile`, for anything that is wrong with model, data, device, output or checkpoint,
 * and `training.not_finite` when loss or gradient stop being numbers
 */
export async function train(
  asked: ResolvedConfig,
  {
    onEvent,
    onOutput = () => undefined,
    control = new TrainControl(),
    isLocked = false,
  }: TrainOptions,
): Promise<TrainResult> {
  const given = await withConfigFile(asked);
  refuseFollower(given);
  await refuseOccupied(given);
  const resumed = await resumedRun(given);
  const fetched = await fetchInputs(given, {
    known: resumed.hub,
    // A checkpoint holds all of the adapter that the run began with.
    unread: resumed.checkpoint === undefined ? [] : ['adapter'],
    onDownload: (state) => onEvent({ type: 'progress', ...state }),
  });
  const choice = await chooseBackend(fetched.config, {
    padding: resumed.checkpoint?.state.identity['data.pad_to_multiple_of'],
    onEvent,
    onOutput,
  });
  try {
    return await trainWith(choice, given, resumed, fetched, { onEvent, control, isLocked });
  } finally {
    await choice.release();
  }
}

/** Of several machines the first has the run. */
function refuseFollower({ accelerate: { machine_rank: rank } }: ResolvedConfig): void {
  if (rank === 0) return;
  throw new LorafaError(
    'usage.invalid',
    `accelerate.machine_rank ${rank} computes for the run of the first machine, and has none of its own; start it by lorafa train, or set it to 0.`,
  );
}

async function trainWith(
  choice: BackendChoice,
  given: ResolvedConfig,
  resumed: ResumedRun,
  { sources, warnings }: LocalInputs,
  { onEvent, control, isLocked }: Required<Omit<TrainOptions, 'onOutput'>>,
): Promise<TrainResult> {
  const { config, environment } = choice;
  const base = await openRunModel(config, onEvent);
  requirePositions(config, base);
  const tokenizer = await loadRunTokenizer(config, base);
  const data = await loadRunData(config, tokenizer, onEvent);
  const weightsDigest = await examineWeights(base, (done, total) =>
    onEvent({ type: 'progress', task: 'checking weights', done, total }),
  );
  // Data that change meanwhile are no reason not to train on what was read.
  const examples = await findExamples(config, tokenizer, data).catch(() => undefined);
  const plan = planRun(config, data);
  const parts = { model: base, weightsDigest, data, plan, environment };
  const start = await startingPoint(config, resumed, parts);
  const { evaluation } = data;
  const opened = await choice.open({ base, tokenizer, plan, evaluation, start, onEvent });
  const { backend, sampler, summary, chosen, notices } = opened;
  const state = { ...start.state, ...(chosen !== undefined && { compute: chosen }) };

  const tracked = resumed.tracked ?? newTracked(config);
  const record: RunRecord = {
    config: withCheckpoint(given, start.checkpoint),
    lineage: state.lineage,
    ...(sources.length > 0 && { hub: sources }),
    tracked,
  };
  const folder = await RunFolder.open(record, { isLocked, way: resumed.way });
  const reports = openReports({
    config: record.config,
    ...tracked,
    // Before its first step a run is evaluated anew.
    firstStep: state.global_step === 0 ? 0 : state.global_step + 1,
  });
  const emit = async (event: TrainEvent): Promise<void> => {
    await folder.verify();
    // What is told of the trackers comes before the event that may be the run's last.
    for (const message of await reports.tell(event)) await keep({ type: 'warning', message });
    await keep(event);
  };
  const keep = async (event: TrainEvent): Promise<void> => {
    await folder.record(event);
    onEvent(event);
  };
  const fail = async (event: FailedEvent): Promise<void> => {
    await folder.verify();
    await reports.tell(event);
    await folder.record(event);
  };
  const loop = new TrainingLoop({
    config,
    plan,
    data,
    backend,
    control,
    emit,
    onProgress: onEvent,
    verify: () => folder.verify(),
    state,
    checkpoint: start.checkpoint,
    notices,
    padId: tokenizer.padId,
    sampler,
  });
  control.onAbandon = () => folder.recordNow(loop.cancelled);
  try {
    const run = sessionFacts({ base, trainee: backend.trainee, data, plan, state, summary });
    await emit({ type: 'started', run });
    if (examples !== undefined) {
      await folder.verify();
      await writeExamples(folder.path, examples);
    }
    for (const message of [...warnings, ...start.warnings, ...data.warnings]) {
      await emit({ type: 'warning', message });
    }
    return await loop.run();
  } catch (error) {
    // The caller is told by the error itself; a disk that is full takes no note of it.
    const told = withSettings(error, config, {
      recompute: summary.gradientCheckpointing,
      evaluates: evaluation.length > 0,
    });
    await fail(failedEvent(told)).catch(() => undefined);
    throw told;
  } finally {
    control.onAbandon = undefined;
    await reports.close();
    await loop.release();
    await folder.close();
  }
}

/** The configuration with the checkpoint that `latest` was, where there was any. */
function withCheckpoint(config: ResolvedConfig, checkpoint: string | undefined): ResolvedConfig {
  if (checkpoint === undefined) return config;
  return { ...config, training: { ...config.training, resume_from_checkpoint: checkpoint } };
}

/** What the fixed facts of a run are taken from. */
interface FactSources extends Pick<OpenBackend, 'summary'> {
  readonly base: BaseModel;
  readonly trainee: Trainee;
  readonly data: RunData;
  readonly plan: RunPlan;
  readonly state: TrainerState;
}

function sessionFacts({ base, trainee, data, plan, state, summary }: FactSources): SessionFacts {
  const parameters = countParameters(base.config, trainee.modules, trainee.trainable);
  return {
    ...summary,
    steps: plan.maxSteps,
    resumedAt: state.global_step,
    stepsPerEpoch: plan.stepsPerEpoch,
    trainableParameters: parameters.trainable,
    totalParameters: parameters.total,
    padding: plan.padding,
    dataset: {
      train: data.trainReport,
      ...(data.evalReport === undefined ? {} : { eval: data.evalReport }),
    },
  };
}
