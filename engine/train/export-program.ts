import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { PROGRAM_FOLDER } from '../accelerate/rank-commands.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { plannedBatch } from '../data/batches.ts';
import { planEvaluation } from '../data/epoch-plan.ts';
import { LorafaError } from '../errors.ts';
import { writeAtomically, writeFileAtomic } from '../files/atomic-file.ts';
import { copyFile } from '../files/create-file.ts';
import { ensureFolder, makeAside } from '../files/folders.ts';
import { publishedModel } from '../hub/hub-cache.ts';
import { fetchInputs } from '../inputs/hub-inputs.ts';
import { type BaseModel, openBaseModel } from '../models/base-model.ts';
import { evaluationBatches } from '../plan/evaluation-batches.ts';
import { withPadding } from '../plan/padding-multiple.ts';
import type { ProgressEvent } from '../plan/plan-reports.ts';
import { requirePositions } from '../plan/position-limit.ts';
import { loadRunData, type RunData } from '../plan/run-data.ts';
import { planRun, type RunPlan } from '../plan/run-plan.ts';
import { loadRunTokenizer } from '../plan/run-tokenizer.ts';
import { requireTransformers } from '../plan/transformers-limit.ts';
import { CPU } from '../runtime/device.ts';

import { plannedStep } from './planned-step.ts';
import { programBatch, stepCommand, trainingSettings, writeStart } from './program-commands.ts';
import { createTrainee } from './trainee.ts';

/** What an exported run is. */
export interface ExportedProgram {
  readonly folder: string;
  /** Optimizer steps. */
  readonly steps: number;
  /** The base model as the program looks for it: a name on the Hugging Face Hub, or a path of this machine. */
  readonly model: string;
  /** Sentences: what whoever runs it has to know. */
  readonly notes: readonly string[];
}

/** What of the program's folder an exported run has no use for. */
const FOLLOWED_ONLY: ReadonlySet<string> = new Set([
  'train.py',
  'machines.py',
  'config_file.py',
  '__pycache__',
]);

/** What is decided while a run goes on, which a folder of prepared steps cannot do. */
const NOT_PREPARED = [
  'load_best_model_at_end',
  'early_stopping_patience',
  'resume_from_checkpoint',
] as const;

/**
 * Writes a run on Accelerate as a program with all that it learns from, which needs nothing of this project: its steps
 * with their tokens and learning rates, the adapter that it begins with, and the Python that computes them. The base
 * model is not in it.
 *
 * @param output a new folder
 * @throws LorafaError `usage.invalid` for keys that cannot be prepared, `output.not_writable`, and for anything that
 * is wrong with model or data
 */
export async function exportProgram(
  given: ResolvedConfig,
  output: string,
  onProgress: (event: ProgressEvent) => void,
): Promise<ExportedProgram> {
  requirePreparable(given);
  const fetched = await fetchInputs(given, {
    onDownload: (state) => onProgress({ type: 'progress', ...state }),
  });
  const config = withPadding(fetched.config, CPU);
  const base = await openBaseModel(config.model.base_model_name_or_path, { headersOnly: true });
  requireTransformers(config, base);
  requirePositions(config, base);
  const tokenizer = await loadRunTokenizer(config, base);
  const data = await loadRunData(config, tokenizer, onProgress);
  const plan = planRun(config, data);
  const source = { config, plan, data, padId: tokenizer.padId };
  const model = modelName(base);
  await makeAside(output, async (folder) => {
    await ensureFolder(folder);
    await writeSettings(folder, config, base);
    await writeAtomically(path.join(folder, 'evaluation.jsonl'), async (file) => {
      for (const line of evaluationLines(source)) await file.write(line);
    });
    await writeAtomically(path.join(folder, 'steps.jsonl'), async (file) => {
      for await (const { line, step } of commandLines(source)) {
        await file.write(line);
        onProgress({ type: 'progress', task: 'preparing steps', done: step, total: plan.maxSteps });
      }
    });
    for (const name of await readdir(PROGRAM_FOLDER)) {
      if (FOLLOWED_ONLY.has(name)) continue;
      await copyFile(
        path.join(PROGRAM_FOLDER, name),
        path.join(folder, name),
        'internal.unexpected',
      );
    }
  });
  const notes = [...fetched.warnings, ...data.warnings];
  return { folder: output, steps: plan.maxSteps, model: model.model, notes };
}

function requirePreparable({ engine, training }: ResolvedConfig): void {
  if (engine.backend !== 'accelerate') {
    throw new LorafaError(
      'usage.invalid',
      `A run with engine.backend "${engine.backend}" is no program for Accelerate; set engine.backend to "accelerate".`,
    );
  }
  const key = NOT_PREPARED.find((name) => training[name] !== undefined && training[name] !== false);
  if (key === undefined) return;
  throw new LorafaError(
    'usage.invalid',
    `training.${key} is decided while a run goes on, and an exported one has all of its steps beforehand; remove it.`,
  );
}

async function writeSettings(
  folder: string,
  config: ResolvedConfig,
  base: BaseModel,
): Promise<void> {
  const trainee = await createTrainee(config, base);
  try {
    await writeStart(path.join(folder, 'adapter'), trainee);
    const settings = {
      device: config.engine.device,
      mixed_precision: config.accelerate.mixed_precision,
      distributed_type: config.accelerate.distributed_type,
      save_total_limit: config.training.save_total_limit,
      load: { ...modelName(base), ...trainingSettings(config, trainee) },
    };
    const text = `${JSON.stringify(settings, null, 2)}\n`;
    await writeFileAtomic(path.join(folder, 'settings.json'), text);
  } finally {
    trainee.release();
  }
}

/** The base as transformers finds it elsewhere too, where that can be. */
function modelName({ path: folder }: BaseModel): {
  readonly model: string;
  readonly revision: string | null;
} {
  const published = publishedModel(folder);
  return published === undefined
    ? { model: path.resolve(folder), revision: null }
    : { model: published.name, revision: published.commit };
}

/** What the lines of the files are made of. */
interface Source {
  readonly config: ResolvedConfig;
  readonly plan: RunPlan;
  readonly data: RunData;
  readonly padId: number;
}

function* evaluationLines({ config, data, padId }: Source): Generator<Uint8Array> {
  const { evaluation } = data;
  const lengths = evaluation.map(({ inputIds }) => inputIds.length);
  if (lengths.length === 0) return;
  for (const planned of planEvaluation(lengths, evaluationBatches(config))) {
    const batch = plannedBatch(planned, evaluation, padId);
    yield jsonLine({ batch: programBatch(batch), supervised: batch.numSupervisedTokens });
  }
}

/** Steps, evaluations and checkpoints, where a run has them. */
async function* commandLines(
  source: Source,
): AsyncGenerator<{ readonly line: Uint8Array; readonly step: number }> {
  const { config, plan, data } = source;
  const {
    eval_on_start: evalOnStart,
    eval_steps: evalSteps,
    save_steps: saveSteps,
  } = config.training;
  const isEvaluated = data.evaluation.length > 0;
  if (evalOnStart && isEvaluated) yield { line: jsonLine({ do: 'evaluate' }), step: 0 };
  let step = 0;
  for await (const { batches, examples, isLastOfEpoch } of stepsOf(plan)) {
    yield { line: jsonLine(stepCommand(plannedStep(batches, examples, step, source))), step };
    step++;
    const isLast = step === plan.maxSteps;
    const isDue = isLast || (evalSteps === undefined ? isLastOfEpoch : step % evalSteps === 0);
    if (isEvaluated && isDue) yield { line: jsonLine({ do: 'evaluate' }), step };
    if (isLast || step % saveSteps === 0) yield { line: jsonLine({ do: 'save' }), step };
  }
}

async function* stepsOf(plan: RunPlan) {
  let left = plan.maxSteps;
  for (let epoch = 0; ; epoch++) {
    for (let window = 0; window < plan.windows; window++) {
      const { steps, examples } = await plan.window(epoch, window);
      for (const [index, batches] of steps.entries()) {
        const isLastOfEpoch = window === plan.windows - 1 && index === steps.length - 1;
        yield { batches, examples, isLastOfEpoch };
        if (--left === 0) return;
      }
    }
  }
}

function jsonLine(value: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
