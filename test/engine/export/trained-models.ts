import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import { generateTokens } from '../../../engine/generate/generate-tokens.ts';
import { resolveGenerationOptions } from '../../../engine/generate/generation-options.ts';
import { type LoadedAdapter, loadAdapter } from '../../../engine/lora/load-adapter.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { train } from '../../../engine/train/train.ts';
import { goldenPath } from '../../support/golden.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { type GoldenModel, withSessions } from '../generate/golden-model.ts';

/** A tiny random model with an adapter that was trained on it. */
export interface TrainedModel {
  readonly name: string;
  /** Folders. */
  readonly base: string;
  readonly adapter: string;
  /** A prompt, and the likeliest tokens after it by the base with the adapter. */
  readonly greedy: readonly number[];
}

/** The bytes of capital letters, which are ids of all test models. */
const PROMPT = [...Buffer.from('THE QU')];
const ROWS = ['THE QUICK BROWN FOX', 'JUMPS OVER', 'THE LAZY DOG.', '1, 2, 3, GO!'];
const NEW_TOKENS = 16;

/** Where PEFT has one name for experts and for what other layers have in their place. */
const ATTENTION = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];
const TARGETS: Readonly<Record<string, readonly string[]>> = {
  'qwen3-moe': ATTENTION,
  'qwen3-moe-sparse': ATTENTION,
};

/** A model of every family, with an adapter. */
export async function trainedModels(top: string): Promise<readonly TrainedModel[]> {
  const models: TrainedModel[] = [];
  for (const name of readdirSync(goldenPath('models'))) {
    const base = path.join(top, name);
    await goldenModelFolder(name, base);
    models.push({ name, base, ...(await trained(base, { targets: TARGETS[name] })) });
  }
  return models;
}

interface TrainingChoices {
  readonly targets?: string | readonly string[] | undefined;
  readonly steps?: number;
}

/**
 * Trains an adapter for a few steps, far enough for the model to write something else.
 *
 * @param base a folder whose vocabulary has capital letters
 */
export async function trained(
  base: string,
  { targets = 'all-linear', steps = 12 }: TrainingChoices = {},
): Promise<Pick<TrainedModel, 'adapter' | 'greedy'>> {
  const [data, adapter] = [`${base}.jsonl`, `${base}-run`];
  await writeFile(data, ROWS.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  const config = {
    model: { base_model_name_or_path: base },
    data: { dataset_name_or_path: data, max_length: 20 },
    lora: { r: 4, lora_alpha: 8, target_modules: targets },
    training: {
      ...{ output_dir: adapter, max_steps: steps, lr_scheduler_type: 'constant' },
      ...{ learning_rate: 0.1, per_device_train_batch_size: 4 },
    },
    engine: { device: 'cpu', intra_op_num_threads: 1 },
  };
  await train(parseConfig(JSON.stringify(config), `${base}.lorafa.json`), {
    onEvent: () => undefined,
  });
  const model = await openBaseModel(base);
  const loaded = await loadAdapter(adapter, model.config);
  const greedy = await greedyTokens(model, loaded);
  expect(greedy, 'the adapter changes what is written').not.toEqual(await greedyTokens(model));
  return { adapter, greedy };
}

/** @returns the prompt with the likeliest tokens after it, by this engine; ends end nothing */
export async function greedyTokens(
  model: GoldenModel,
  adapter: LoadedAdapter | null = null,
): Promise<readonly number[]> {
  const tokens = [...PROMPT];
  await withSessions(model, async (sessions) => {
    const answer = generateTokens({
      sequence: await sessions.sequence(adapter),
      config: model.config,
      promptIds: PROMPT,
      sampling: resolveGenerationOptions({
        ...{ temperature: 0, repetition_penalty: 1, max_new_tokens: NEW_TOKENS },
      }),
      eosIds: [],
    });
    for await (const { token } of answer) tokens.push(token);
  });
  return tokens;
}
