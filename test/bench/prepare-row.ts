import path from 'node:path';
import { writeFileAtomic } from '../../engine/files/atomic-file.ts';
import { liveBytes } from '../../engine/graph/liveness.ts';
import { openBaseModel } from '../../engine/models/base-model.ts';
import { estimateRun } from '../../engine/plan/estimate-run.ts';
import { planTrainee } from '../../engine/plan/planned-trainee.ts';
import { openRunModel } from '../../engine/plan/run-model.ts';
import { stepSpec } from '../../engine/step/step-spec.ts';
import { trainingGraph } from '../../engine/step/training-graph.ts';
import { COMPUTE_MODES } from '../../engine/weights/compute-mode.ts';
import { HEAP_ENVIRONMENT } from '../../server/trainer/heap-environment.ts';
import { type BenchRow, isUniform } from './bench-row.ts';
import { exampleTexts } from './examples.ts';
import { loraInputBytes } from './lora-inputs.ts';
import type { RunRequest } from './measure-run.ts';
import type { Program } from './measuring-process.ts';
import { modelFlops } from './model-flops.ts';
import { peftProgram } from './peft-program.ts';
import { randomModel } from './random-model.ts';
import { runConfig, type Settings } from './run-config.ts';

/** What is known of a row before it is measured. */
export interface RowFacts {
  /** See `modelFlops`; null where steps differ. */
  readonly stepFlops: number | null;
  /** Bytes of values alive at one time in the step's graph, exact; null for PEFT. */
  readonly activationBytes: number | null;
  /** What LoRA keeps and LoRA-FA does not, by theory: see `loraInputBytes`; null for PEFT. */
  readonly loraInputBytes: number | null;
  /** The peak that `lorafa plan` predicts; null for PEFT. */
  readonly predictedBytes: number | null;
}

/** A row that is ready to be measured. */
export interface PreparedRow {
  readonly row: BenchRow;
  readonly facts: RowFacts;
  /** The program of a sample; samples are counted from 0. */
  readonly program: (sample: number) => Program;
  /** What prints how far gradients are from those in float32; only of PEFT. */
  readonly gradients?: Program;
}

/** What rows are prepared with. */
export interface PrepareOptions {
  /** An existing folder for data sets and the results of runs. */
  readonly folder: string;
  /** Holds the measuring programs, as `bench.mjs` bundled them. */
  readonly programs: string;
  readonly python: string;
  /** Where random models are kept; the cache unless given. */
  readonly models?: string;
}

/**
 * Makes everything that a row needs once: weights, NF4 weights, the data set.
 *
 * @throws ConfigError where the engine does not know a setting of the row
 */
export async function prepareRow(row: BenchRow, options: PrepareOptions): Promise<PreparedRow> {
  const model = await randomModel(row.model, options.models);
  const texts = exampleTexts(row.lengths);
  const data = path.join(options.folder, `${row.name}.jsonl`);
  await writeFileAtomic(data, texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  const settings = settingsOf(row);
  const request = (sample: number): RunRequest => ({
    settings,
    model,
    data,
    output: path.join(options.folder, `${row.name}-${sample}`),
  });
  const config = runConfig(settings, request(0));
  const { config: decoder } = await openBaseModel(model);
  const trainee = await planTrainee(config, { config: decoder, name: row.model });
  const { modules } = trainee;
  const size = isUniform(row) ? { rows: row.batchSize, length: row.lengths[0]! } : undefined;
  const stepFlops = size === undefined ? null : modelFlops(decoder, modules, size);
  if (row.kind === 'peft') {
    return {
      row,
      facts: { stepFlops, activationBytes: null, loraInputBytes: null, predictedBytes: null },
      program: () => peftProgram(row, options.python, model, texts, 'steps'),
      gradients: peftProgram(row, options.python, model, texts, 'gradients'),
    };
  }
  // What a first run would make is made here, so that no sample is a first run.
  const { compute } = config.engine;
  for (const mode of compute === 'auto' ? COMPUTE_MODES : [compute]) {
    const opened = runConfig({ ...settings, 'engine.compute': mode }, request(0));
    await openRunModel(opened, () => undefined);
  }
  const { memory, largestBatch, gradientCheckpointing: recompute } = await estimateRun(config);
  const base = await openRunModel(config, () => undefined);
  const shape = { ...largestBatch, lossTokens: largestBatch.rows * largestBatch.length };
  const step = trainingGraph({ ...stepSpec(config, base, trainee), shape, recompute });
  return {
    row,
    facts: {
      stepFlops,
      activationBytes: liveBytes(step),
      loraInputBytes: size === undefined ? null : loraInputBytes(modules, size.rows * size.length),
      predictedBytes: memory.total,
    },
    program: (sample) => ({
      ...nodeProgram(options.programs, 'measure-run', request(sample)),
      env: HEAP_ENVIRONMENT,
    }),
  };
}

/** A measuring program of ours. @param request its argument, as JSON */
export function nodeProgram(programs: string, name: string, request?: unknown): Program {
  const script = path.join(programs, `${name}.mjs`);
  const args = request === undefined ? [] : [JSON.stringify(request)];
  return { command: process.execPath, args: [script, ...args] };
}

function settingsOf(row: BenchRow): Settings {
  return {
    'training.max_steps': row.warmupSteps + row.steps,
    'training.per_device_train_batch_size': row.batchSize,
    'data.max_length': Math.max(...row.lengths),
    ...(row.kind === 'engine' ? row.settings : {}),
  };
}
