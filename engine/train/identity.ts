import { createHash } from 'node:crypto';
import os from 'node:os';
import type { ResolvedConfig } from '../config/schema.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import { LorafaError } from '../errors.ts';
import type { BaseModel } from '../models/base-model.ts';
import type { RunData } from '../plan/run-data.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { type Device, formatDevice } from '../runtime/device.ts';
import { ort } from '../runtime/onnx-runtime.ts';
import { decisiveSettings } from './run-settings.ts';
import type { TrainerState } from './trainer-state.ts';

type Identity = TrainerState['identity'];
type Environment = TrainerState['environment'];

/** Key of the digest of the adapter that a run began with. */
export const FIRST_ADAPTER = 'digest of the first adapter';

/** What a run is made of besides its configuration. */
export interface IdentityParts {
  readonly model: BaseModel;
  /** That of `examineWeights`. */
  readonly weightsDigest: string;
  /** Digest of the adapter that the run began with; undefined where it began with a new one. */
  readonly adapterDigest: Identity[string] | undefined;
  readonly data: RunData;
  readonly plan: RunPlan;
}

/**
 * What decides every step of a run: a checkpoint may only be resumed by a run that has all of it
 * in common, or the continued run would not be the same one.
 */
export function runIdentity(
  config: ResolvedConfig,
  { model, weightsDigest, adapterDigest, data, plan }: IdentityParts,
): Identity {
  return JSON.parse(
    JSON.stringify({
      ...decisiveSettings(config),
      'number of steps': plan.maxSteps,
      'warm-up steps': plan.warmupSteps,
      'training tokens': data.trainReport.tokens,
      'supervised training tokens': data.trainReport.supervisedTokens,
      'digest of the training data': data.stream?.digest ?? digestOfExamples(data.train),
      'rows of a window': data.stream?.windowRows,
      'digest of the base weights': weightsDigest,
      "digest of the base model's configuration": sha256(JSON.stringify(model.config)),
      [FIRST_ADAPTER]: adapterDigest,
    }),
  ) as Identity;
}

/**
 * What the last bits of every step depend on besides: floating-point sums come out a little
 * different on another device or processor, with another number of threads or by other kernels.
 */
export function runEnvironment({ engine }: ResolvedConfig, device: Device): Environment {
  const { intra_op_num_threads: threads } = engine;
  return {
    device: formatDevice(device),
    'ONNX Runtime': ort.version,
    processor: os.cpus()[0]?.model.trim() ?? process.arch,
    threads: threads === 0 ? `one per core of ${os.availableParallelism()}` : threads,
  };
}

/** Tells examples apart that have the same numbers of tokens. */
function digestOfExamples(examples: readonly TokenizedExample[]): string {
  const hash = createHash('sha256');
  for (const { inputIds, supervised } of examples) {
    hash.update(Int32Array.of(inputIds.length)).update(inputIds).update(supervised);
  }
  return hash.digest('hex');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Throws `checkpoint.mismatch` naming what differs between a checkpoint and the run. */
export function requireSameIdentity(checkpoint: string, stored: Identity, current: Identity): void {
  const isSetting = (key: string): boolean => key.includes('.');
  const differing = differences(stored, current)
    // What a person wrote says more than what follows from it.
    .toSorted((a, b) => Number(isSetting(b.key)) - Number(isSetting(a.key)));
  if (differing.length === 0) return;
  throw new LorafaError(
    'checkpoint.mismatch',
    `${checkpoint} belongs to another run: ${differing.slice(0, 3).map(describe).join('; ')}; restore what was, or start anew with the checkpoint as lora.init_adapter.`,
    { location: { file: checkpoint } },
  );
}

/** A sentence about what differs in the last bits from here on; undefined where nothing does. */
export function describeOtherEnvironment(
  stored: Environment,
  current: Environment,
): string | undefined {
  const differing = differences(stored, current);
  return differing.length === 0
    ? undefined
    : `From here on the run may differ in its last bits from one that was never interrupted: ${differing.map(describe).join('; ')}.`;
}

interface Difference {
  readonly key: string;
  readonly was: Identity[string] | undefined;
  readonly is: Identity[string] | undefined;
}

function differences(stored: Identity, current: Identity): readonly Difference[] {
  const [before, now] = [stored, current].map((each) => new Map(Object.entries(each)));
  return [...new Set([...before!.keys(), ...now!.keys()])]
    .map((key) => ({ key, was: before!.get(key), is: now!.get(key) }))
    .filter(({ was, is }) => JSON.stringify(was) !== JSON.stringify(is));
}

function describe({ key, was, is }: Difference): string {
  const text = (value: Difference['was']): string =>
    value === undefined ? 'not set' : shortened(JSON.stringify(value));
  return `${key} was ${text(was)} and is now ${text(is)}`;
}

/** Nobody compares the whole of a digest by eye. */
function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 12)}…"` : text;
}
