import type { Recompute } from '../architectures/decoder-graph.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { plannedBatch } from '../data/batches.ts';
import { fetchInputs } from '../inputs/hub-inputs.ts';
import type { BaseModel } from '../models/base-model.ts';
import { chooseRecompute, memoryLimit } from '../plan/memory.ts';
import { withPadding } from '../plan/padding-multiple.ts';
import { countParameters } from '../plan/parameter-count.ts';
import { requirePositions } from '../plan/position-limit.ts';
import { loadRunData, type RunData } from '../plan/run-data.ts';
import { openGenerationModel, openRunModel } from '../plan/run-model.ts';
import { planRun, type RunPlan } from '../plan/run-plan.ts';
import { runQuestion } from '../plan/run-question.ts';
import { loadRunTokenizer } from '../plan/run-tokenizer.ts';
import { openReports } from '../report/open-reports.ts';
import { type Device, formatDevice } from '../runtime/device.ts';
import { availableMemory } from '../runtime/device-memory.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { BatchRunner, type BatchRunnerOptions } from '../step/batch-runner.ts';
import { examineWeights } from '../weights/examine-weights.ts';
import { restoreOptimizer } from './checkpoint.ts';
import { chooseCompute } from './compute-choice.ts';
import { chooseComputeDevice, uploadProgress } from './compute-device.ts';
import { TrainControl } from './control.ts';
import { createOptimizer } from './create-optimizer.ts';
import {
  type ComputeTrial,
  type FailedEvent,
  failedEvent,
  type RunSummary,
  type TrainEvent,
} from './events.ts';
import { refuseOccupied } from './occupied-folder.ts';
import { findExamples, writeExamples } from './run-examples.ts';
import { RunFolder } from './run-folder.ts';
import { newTracked, type RunRecord } from './run-record.ts';
import { createSampler } from './sampler.ts';
import { resumedRun, startingPoint } from './starting-point.ts';
import { createTrainee, type Trainee } from './trainee.ts';
import type { TrainerState } from './trainer-state.ts';
import { TrainingLoop } from './training-loop.ts';

/** What the caller of a run may give and take. */
export interface TrainOptions {
  /** Called in order with everything that happens; what the journal holds is the same. */
  readonly onEvent: (event: TrainEvent) => void;
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
 * @throws LorafaError for anything that is wrong with model, data, device, output or checkpoint,
 * and `training.not_finite` when loss or gradient stop being numbers
 */
export async function train(
  given: ResolvedConfig,
  { onEvent, control = new TrainControl(), isLocked = false }: TrainOptions,
): Promise<TrainResult> {
  await refuseOccupied(given);
  const resumed = await resumedRun(given);
  const {
    config: fetched,
    sources,
    warnings,
  } = await fetchInputs(given, {
    known: resumed.hub,
    // A checkpoint holds all of the adapter that the run began with.
    unread: resumed.checkpoint === undefined ? [] : ['adapter'],
    onDownload: (state) => onEvent({ type: 'progress', ...state }),
  });
  const device = await chooseComputeDevice(fetched);
  const decided = resumed.checkpoint?.state.identity['data.pad_to_multiple_of'];
  const config = withPadding(fetched, device, decided);
  // Before anything of the run is there.
  const limit = memoryLimit(config.engine, availableMemory(device));
  const base = await openRunModel(config, onEvent);
  requirePositions(config, base);
  const tokenizer = await loadRunTokenizer(config, base);
  const data = await loadRunData(config, tokenizer, onEvent);
  const weightsDigest = await examineWeights(base.weights, (done, total) =>
    onEvent({ type: 'progress', task: 'checking weights', done, total }),
  );
  // Data that change meanwhile are no reason not to train on what was read.
  const examples = await findExamples(config, tokenizer, data).catch(() => undefined);
  const plan = planRun(config, data);
  const parts = { model: base, weightsDigest, data, plan, device };
  const start = await startingPoint(config, resumed, parts);
  const notices = new Set<string>();
  const session: SessionOptions = {
    device,
    threads: config.engine.intra_op_num_threads,
    onUpload: uploadProgress(device, onEvent),
    onUncaptured: (why) => void notices.add(why),
  };
  const trainee = await createTrainee(config, base, { device, checkpoint: start.checkpoint });
  const optimizer = await createOptimizer(config, trainee, session);
  if (start.checkpoint !== undefined) {
    await restoreOptimizer(start.checkpoint, optimizer, start.state.global_step);
  }
  const step = {
    modules: trainee.modules,
    trainBase: trainee.trainBase,
    trainable: trainee.trainable.map(({ name }) => name),
    dropout: config.lora.lora_dropout,
    packing: config.data.packing,
  };
  const answering = await openGenerationModel(config, base, onEvent);
  const work = runQuestion(config, { plan, evaluation: data.evaluation, tokenizer, answering });
  const stepOf = (model: BaseModel): BatchRunnerOptions & { readonly recompute: Recompute } => ({
    ...step,
    model,
    recompute: chooseRecompute(config, { ...step, ...work, model, device }, limit),
    tensors: trainee.tensors,
    session: { ...session, weightsFolder: model.weights.files().folder },
  });
  const first = await plan.window(0, 0);
  const { model, trials } = await chooseCompute(config, base, {
    device,
    decided: start.state.compute,
    batch: plannedBatch(first.steps[0]![0]!, first.examples, tokenizer.padId),
    gradients: optimizer.gradients,
    open: (model) => new BatchRunner(stepOf(model)),
    onEvent,
  });
  const isChosen = config.engine.compute === 'auto';
  const state = { ...start.state, ...(isChosen && { compute: model.weights.compute }) };
  const chosen = stepOf(model);

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
    trainee,
    optimizer,
    control,
    emit,
    onProgress: onEvent,
    verify: () => folder.verify(),
    state,
    checkpoint: start.checkpoint,
    notices,
    padId: tokenizer.padId,
    runner: new BatchRunner(chosen),
    evaluator: new BatchRunner({ ...chosen, recompute: 'none', trainable: [], dropout: 0 }),
    sampler: createSampler(config, { model: answering, tokenizer, trainee, session }),
  });
  control.onAbandon = () => folder.recordNow(loop.cancelled);
  try {
    const { recompute } = chosen;
    const run = runSummary({ model, trainee, data, plan, state, device, recompute, trials });
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
    await fail(failedEvent(error)).catch(() => undefined);
    throw error;
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
interface RunFacts {
  readonly model: BaseModel;
  readonly trainee: Trainee;
  readonly data: RunData;
  readonly plan: RunPlan;
  readonly state: TrainerState;
  readonly device: Device;
  readonly recompute: Recompute;
  readonly trials: readonly ComputeTrial[];
}

function runSummary(facts: RunFacts): RunSummary {
  const { model, trainee, data, plan, state, trials } = facts;
  const parameters = countParameters(model.config, trainee.modules, trainee.trainable);
  return {
    steps: plan.maxSteps,
    resumedAt: state.global_step,
    stepsPerEpoch: plan.stepsPerEpoch,
    trainableParameters: parameters.trainable,
    totalParameters: parameters.total,
    device: formatDevice(facts.device),
    gradientCheckpointing: facts.recompute,
    padding: plan.padding,
    compute: model.weights.compute,
    ...(trials.length > 0 && { computeTrials: trials }),
    dataset: {
      train: data.trainReport,
      ...(data.evalReport === undefined ? {} : { eval: data.evalReport }),
    },
  };
}
