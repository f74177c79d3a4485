import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { expect, vi } from 'vitest';
import { tempFolder } from '../../support/temp-folder.ts';
import type { Editor } from './editor.ts';

/** How long something of a run may take on a busy machine. */
export const PATIENCE_MS = 150_000;
/** For tests of several runs. */
export const RUNS_TIMEOUT_MS = 400_000;

/** A run of the demo's model on the demo's data. */
export interface DemoRun {
  readonly name: string;
  /** Also how often it evaluates and saves, if nothing else is said: ten times and six times. */
  readonly maxSteps: number;
  readonly saveSteps?: number;
  readonly learningRate: number;
  /** Batches of a step: with several, a run is long enough to be looked at on a fast machine too. */
  readonly accumulation: number;
  /** How many checkpoints are kept. */
  readonly kept: number;
}

/** A folder with the demo's model and data and the configurations of some runs. */
export async function demoFolder(...runs: readonly DemoRun[]): Promise<string> {
  const folder = path.join(await tempFolder(), 'support-bot');
  await mkdir(folder);
  for (const name of ['base', 'data']) {
    await cp(path.join('media', 'demo', name), path.join(folder, name), { recursive: true });
  }
  for (const run of runs) {
    await writeFile(path.join(folder, `${run.name}.lorafa.json`), config(run));
  }
  return folder;
}

function config({ name, maxSteps, saveSteps, learningRate, accumulation, kept }: DemoRun): string {
  const settings = {
    model: { base_model_name_or_path: 'base' },
    data: {
      dataset_name_or_path: 'data/train.jsonl',
      eval_split: 16,
      max_length: 128,
      pad_to_multiple_of: 16,
    },
    lora: { r: 32, lora_alpha: 64 },
    training: {
      output_dir: `runs/${name}`,
      max_steps: maxSteps,
      per_device_train_batch_size: 4,
      gradient_accumulation_steps: accumulation,
      learning_rate: learningRate,
      warmup_steps: 5,
      eval_steps: maxSteps / 10,
      save_steps: saveSteps ?? maxSteps / 6,
      save_total_limit: kept,
      sample_prompts: ['Milo is 70 years old and lives in Toulouse.\nJSON: '],
    },
    engine: { device: 'cpu', intra_op_num_threads: 1 },
  };
  return JSON.stringify(settings, null, 2);
}

/**
 * The panel of a run. One that showed another run has its new title before its new page, so that the
 * page itself is asked whose it is.
 */
export function runPanel(editor: Editor, name: string): Promise<Frame> {
  return vi.waitUntil(
    async () => {
      const frame = await editor.webviewFrame(name);
      const heading = await frame
        .locator('h1')
        .textContent({ timeout: 1000 })
        .catch(() => undefined);
      return heading === name ? frame : undefined;
    },
    { timeout: PATIENCE_MS, interval: 100 },
  );
}

/** The number of the last step in the chart, as a screen reader is told it. */
export async function chartedStep(panel: Frame): Promise<number> {
  const label = await panel.locator('.chart-plot').first().getAttribute('aria-label');
  return Number(/at step ([\d,]+), lowest/.exec(label ?? '')?.[1]?.replaceAll(',', '') ?? 0);
}

/** Waits until the chart goes beyond a step. */
export async function waitForStep(panel: Frame, step: number): Promise<void> {
  await vi.waitFor(async () => expect(await chartedStep(panel)).toBeGreaterThan(step), {
    timeout: PATIENCE_MS,
    interval: 200,
  });
}

/** Waits until the run panel says that the run is in a state, e.g. "Paused". */
export async function waitForState(panel: Frame, state: string): Promise<void> {
  await panel.locator('.state', { hasText: state }).waitFor({ timeout: PATIENCE_MS });
}
