import { createHash } from 'node:crypto';
import { access } from 'node:fs/promises';
import path from 'node:path';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import { digestFile } from '../formats/file-digest.ts';
import type { HubSource } from '../inputs/hub-source.ts';
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE } from '../lora/adapter.ts';
import type { BaseModel } from '../models/base-model.ts';
import type { RunData } from '../plan/run-data.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import {
  type Checkpoint,
  latestCheckpoint,
  listCheckpoints,
  noCheckpoint,
  openCheckpoint,
} from './checkpoint-folders.ts';
import {
  describeOtherEnvironment,
  FIRST_ADAPTER,
  requireSameIdentity,
  runIdentity,
} from './identity.ts';
import { isOnLineage, type Lineage, nextLineage } from './lineage.ts';
import { findRunRecord, RECORD_FILE, type RunRecord, type TrackedIdentity } from './run-record.ts';
import type { TrainerState } from './trainer-state.ts';

/** Where a session begins. */
export interface StartingPoint {
  readonly state: TrainerState;
  /** Folder of the checkpoint with its weights and moments; undefined at the start of the run. */
  readonly checkpoint: string | undefined;
  /** Sentences about checkpoints that were passed over, and what is not as it was. */
  readonly warnings: readonly string[];
}

/** What a session resumes, before anything else is known of it. */
export interface ResumedRun {
  /** Undefined at the start of the run. */
  readonly checkpoint: Checkpoint | undefined;
  /** The lineage of the latest session in the output folder; undefined where there was none. */
  readonly way: Lineage | undefined;
  /** What the names on the Hub stood for when the run began. */
  readonly hub: readonly HubSource[];
  /** As what trackers know the run in the output folder; undefined where there was none. */
  readonly tracked: TrackedIdentity | undefined;
  /** Sentences about checkpoints that were passed over. */
  readonly warnings: readonly string[];
}

/** What a session has to do with. */
export interface SessionParts {
  readonly model: BaseModel;
  readonly weightsDigest: string;
  readonly data: RunData;
  readonly plan: RunPlan;
  /** What the last bits of every step depend on, as it is now. */
  readonly environment: TrainerState['environment'];
}

/**
 * Finds the checkpoint that `training.resume_from_checkpoint` means: the one that it names, or the
 * newest one that is whole.
 *
 * @throws LorafaError `checkpoint.corrupt`
 */
export async function resumedRun({
  training: { resume_from_checkpoint: setting, output_dir: folder },
}: ResolvedConfig): Promise<ResumedRun> {
  const record = await findRunRecord(folder);
  const { lineage: way, tracked } = record ?? {};
  if (setting === undefined) return { checkpoint: undefined, way, tracked, hub: [], warnings: [] };
  if (setting !== 'latest') {
    const origin = await findRunRecord(path.dirname(setting));
    const hub = (origin ?? record)?.hub ?? [];
    return { checkpoint: await openCheckpoint(setting), way, tracked, hub, warnings: [] };
  }
  const hub = record?.hub ?? [];
  if (!(await isRun(folder))) throw noCheckpoint(folder, []);
  const { checkpoint, skipped, leftBehind } = await latestCheckpoint(folder, way);
  if (checkpoint !== undefined) return { checkpoint, way, tracked, hub, warnings: skipped };
  // Other programs have checkpoints of such names as well, and a run from its start replaces them.
  if (way === undefined && skipped.length > 0) throw noCheckpoint(folder, skipped);
  const origin = record === undefined ? undefined : await originOf(record);
  const warnings = origin === undefined ? [...skipped, fromStart(leftBehind)] : skipped;
  return { checkpoint: origin, way, tracked, hub, warnings };
}

/**
 * Makes sure that a session goes on with the run that stopped at its checkpoint.
 *
 * @throws LorafaError `checkpoint.corrupt`; `checkpoint.mismatch` for a checkpoint of another run
 */
export async function startingPoint(
  config: ResolvedConfig,
  { checkpoint, warnings }: ResumedRun,
  parts: SessionParts,
): Promise<StartingPoint> {
  const { environment } = parts;
  const adapterDigest = await digestOfAdapter(config);
  if (checkpoint === undefined) {
    const state: TrainerState = {
      version: 2,
      global_step: 0,
      epoch: 0,
      step_in_epoch: 0,
      num_tokens: 0,
      total_loss: 0,
      unreported_loss: 0,
      unreported_steps: 0,
      seed: config.training.seed,
      identity: runIdentity(config, { ...parts, adapterDigest }),
      environment,
      lineage: nextLineage(),
    };
    return { state, checkpoint: undefined, warnings };
  }
  const { folder, state } = checkpoint;
  // The checkpoint holds all of the adapter: the one that the run began with is not read again.
  const first = state.identity[FIRST_ADAPTER] ?? adapterDigest;
  const identity = runIdentity(config, {
    ...parts,
    adapterDigest: config.lora.init_adapter === undefined ? undefined : first,
  });
  requireSameIdentity(folder, state.identity, identity);
  if (parts.data.stream === undefined) requireReachable(folder, state, parts.plan);
  else requireWindow(folder, state, parts.plan);
  const isOtherAdapter = adapterDigest !== undefined && adapterDigest !== first;
  return {
    state: { ...state, environment, lineage: nextLineage(state) },
    checkpoint: folder,
    warnings: [
      ...warnings,
      describeOtherEnvironment(state.environment, environment),
      isOtherAdapter ? otherAdapter(config) : undefined,
    ].filter((warning) => warning !== undefined),
  };
}

async function isRun(folder: string): Promise<boolean> {
  const hasRecord = await access(path.join(folder, RECORD_FILE)).then(
    () => true,
    () => false,
  );
  return hasRecord || (await listCheckpoints(folder)).length > 0;
}

/**
 * The checkpoint in another folder that a run came from, which is its latest one until it has saved
 * one of its own; undefined where it began at its start, or that checkpoint is not what it was.
 */
async function originOf({ config, lineage }: RunRecord): Promise<Checkpoint | undefined> {
  const { resume_from_checkpoint: origin } = config.training;
  if (origin === undefined || origin === 'latest') return undefined;
  const checkpoint = await openCheckpoint(origin).catch(() => undefined);
  return checkpoint !== undefined && isOnLineage(checkpoint.state, lineage)
    ? checkpoint
    : undefined;
}

/** @param leftBehind names of checkpoints on a branch that the run has left, which it will replace */
function fromStart(leftBehind: readonly string[]): string {
  const start =
    'There is no checkpoint that the run can go on from, so it starts from its beginning.';
  return leftBehind.length === 0
    ? start
    : `${start} It left ${leftBehind.join(' and ')} behind when it went back to an earlier one; stop it and resume from there by path, or they are replaced.`;
}

/** Throws where no run of this plan comes through a checkpoint's state. */
function requireReachable(
  folder: string,
  { global_step: step, epoch, step_in_epoch: stepInEpoch }: TrainerState,
  { stepsPerEpoch, maxSteps }: RunPlan,
): void {
  const isReachable =
    step <= maxSteps && stepInEpoch < stepsPerEpoch && step === epoch * stepsPerEpoch + stepInEpoch;
  if (isReachable) return;
  throw new LorafaError(
    'checkpoint.corrupt',
    `${folder} says that it stands at step ${step}, which is step ${stepInEpoch} of epoch ${epoch}; no run of ${maxSteps} steps, ${stepsPerEpoch} an epoch, comes there; resume from another checkpoint.`,
    { location: { file: folder } },
  );
}

/** The same where data are streamed, and the steps of most windows are not known. */
function requireWindow(
  folder: string,
  { global_step: step, step_in_epoch: stepInEpoch, window }: TrainerState,
  { windows, maxSteps }: RunPlan,
): void {
  const isPossible =
    step <= maxSteps &&
    stepInEpoch <= step &&
    window !== undefined &&
    window.index < windows &&
    window.step <= stepInEpoch;
  if (isPossible) return;
  throw new LorafaError(
    'checkpoint.corrupt',
    `${folder} says that it stands at step ${step}, which is step ${window?.step} of window ${window?.index}; no run of ${maxSteps} steps with ${windows} windows an epoch comes there; resume from another checkpoint.`,
    { location: { file: folder } },
  );
}

/** The run has no need of it any more; but who changed it may expect it to matter. */
function otherAdapter({ lora }: ResolvedConfig): string {
  return `${lora.init_adapter} is not the adapter any more that this run began with; the run goes on from its checkpoint, which has all of the adapter that it needs.`;
}

/** SHA-256 of `lora.init_adapter`; undefined without one, or where it is not there (any more). */
async function digestOfAdapter({ lora }: ResolvedConfig): Promise<string | undefined> {
  const { init_adapter: folder } = lora;
  if (folder === undefined) return undefined;
  try {
    const hash = createHash('sha256');
    for (const name of [ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE]) {
      hash.update((await digestFile(path.join(folder, name))).sha256);
    }
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
