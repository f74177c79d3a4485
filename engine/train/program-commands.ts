import path from 'node:path';
import type { ResolvedConfig } from '../config/schema.ts';
import type { Batch } from '../data/batches.ts';
import { addFolder } from '../files/folders.ts';
import { writeSafetensors } from '../formats/safetensors-writer.ts';
import type { StateTensor } from '../runtime/state-tensor.ts';
import { writeMoments } from './checkpoint.ts';
import type { Trainee } from './trainee.ts';
import type { BackendStep } from './training-backend.ts';

/*
 * What the program for Accelerate (`accelerate/accelerate-program/`) is told: by the backend while it computes,
 * or in the files of an exported run.
 */

/** Of a position whose next token is not learned, as in PyTorch. */
const IGNORED = -100;

/** A batch as Python takes it. */
export interface ProgramBatch {
  readonly input_ids: readonly (readonly number[])[];
  /** The token that follows each one; {@link IGNORED} where it is not learned. */
  readonly targets: readonly (readonly number[])[];
}

export function programBatch(batch: Batch): ProgramBatch {
  const { batchSize, sequenceLength, inputIds, targets, weights } = batch;
  const rows = (value: (place: number) => number): number[][] =>
    Array.from({ length: batchSize }, (_, row) =>
      Array.from({ length: sequenceLength }, (_, at) => value(row * sequenceLength + at)),
    );
  return {
    input_ids: rows((place) => Number(inputIds[place])),
    targets: rows((place) => (weights[place] === 0 ? IGNORED : Number(targets[place]))),
  };
}

/** The command of an optimizer step. */
export function stepCommand({ batches, dropoutSeeds, learningRate }: BackendStep) {
  return {
    do: 'step',
    batches: batches.map((batch, i) => ({ ...programBatch(batch), seed: dropoutSeeds[i]! })),
    supervised: batches.reduce((sum, batch) => sum + batch.numSupervisedTokens, 0),
    learning_rate: learningRate,
  };
}

/** What is trained and how, beside where it is read from. */
export function trainingSettings({ training }: ResolvedConfig, { trainable }: Trainee) {
  return {
    trained: trainable.map(({ name }) => name),
    decayed: trainable.filter(({ decays = true }) => decays).map(({ name }) => name),
    method: training.method,
    // `auto` goes by memory that nobody here knows, so that it is `none`.
    gradient_checkpointing: training.gradient_checkpointing === 'layer',
    betas: [training.adam_beta1, training.adam_beta2],
    eps: training.adam_epsilon,
    weight_decay: training.weight_decay,
    max_grad_norm: training.max_grad_norm,
  };
}

/**
 * Writes what the program begins from into a new folder: the adapter as PEFT has it, LoRA-FA's projections by the
 * names of the tensors that they are for, and moments.
 *
 * @param moments none before the first step
 * @throws LorafaError `output.not_writable`
 */
export async function writeStart(
  folder: string,
  trainee: Trainee,
  moments?: ReadonlyMap<string, StateTensor>,
): Promise<void> {
  await addFolder(folder);
  await trainee.save(folder, true);
  if (moments !== undefined) await writeMoments(folder, moments);
  const { trainable, projections } = trainee;
  if (projections.size === 0) return;
  await writeSafetensors(
    path.join(folder, 'projections.safetensors'),
    trainable.map(({ name, shape: [, rank], projection }) => {
      const data = projections.get(projection!)!;
      return { name, dtype: 'F32' as const, shape: [rank!, rank!], data };
    }),
  );
}
