import { stat } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ResolvedConfig } from '../../engine/config/schema.ts';
import { median } from '../../engine/median.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { readRunRecord } from '../../engine/train/run-record.ts';
import { JournalReader } from './journal-reader.ts';

/** How fast an earlier run trained that did what another is to do. */
export interface EarlierSpeed {
  readonly tokensPerSecond: number;
  /** Name of the run's folder. */
  readonly run: string;
}

/** Reports of a run that are looked at: the latest, when it was under way. */
const LATEST = 50;

/** Runs that are looked at: the latest. */
const MOST_RUNS = 50;

/**
 * The speed of the latest run of the same model with the same settings, as far as they decide how
 * fast a step is; undefined where there is none.
 *
 * @param folders run folders, which anybody may have made: what cannot be read is passed over
 */
export async function earlierSpeed(
  config: ResolvedConfig,
  folders: readonly string[],
): Promise<EarlierSpeed | undefined> {
  for (const folder of (await latestFirst(folders)).slice(0, MOST_RUNS)) {
    const record = await readRunRecord(folder).catch(() => undefined);
    if (record === undefined || !isAlike(record.config, config)) continue;
    const rates = await latestRates(folder).catch(() => []);
    if (rates.length > 0) return { tokensPerSecond: median(rates), run: path.basename(folder) };
  }
  return undefined;
}

function isAlike(a: ResolvedConfig, b: ResolvedConfig): boolean {
  return isDeepStrictEqual(whatDecides(a), whatDecides(b));
}

function whatDecides({ model, data, lora, training, engine, accelerate }: ResolvedConfig): unknown {
  const { lora_alpha: _, use_rslora: __, init_adapter: ___, ...layers } = lora;
  const { max_memory_gib: ____, ...machine } = engine;
  return [
    model,
    layers,
    machine,
    [accelerate.num_processes, accelerate.num_machines],
    [accelerate.mixed_precision, accelerate.distributed_type],
    [data.max_length, data.packing, data.group_by_length, data.pad_to_multiple_of],
    [training.method, training.gradient_checkpointing],
    [training.per_device_train_batch_size, training.gradient_accumulation_steps],
  ];
}

async function latestRates(folder: string): Promise<readonly number[]> {
  const rates: number[] = [];
  for await (const entries of new JournalReader(folder).read()) {
    for (const entry of entries) {
      if (entry.type === 'step' && entry.tokens_per_second > 0) rates.push(entry.tokens_per_second);
    }
    rates.splice(0, Math.max(0, rates.length - LATEST));
  }
  return rates;
}

async function latestFirst(folders: readonly string[]): Promise<readonly string[]> {
  const times = await Promise.all(
    folders.map((folder) =>
      stat(path.join(folder, RUN_FILES.journal)).then(
        ({ mtimeMs }) => ({ folder, mtimeMs }),
        () => undefined,
      ),
    ),
  );
  return times
    .filter((time) => time !== undefined)
    .toSorted((a, b) => b.mtimeMs - a.mtimeMs)
    .map(({ folder }) => folder);
}
