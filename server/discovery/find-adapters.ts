import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE } from '../../engine/lora/adapter.ts';
import { readAdapterConfig } from '../../engine/lora/adapter-config.ts';
import { nf4Of } from '../../engine/plan/run-model.ts';
import { checkpointProblem } from '../../engine/train/checkpoint-folders.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { readRunRecord } from '../../engine/train/run-record.ts';
import type { FoundAdapter } from '../protocol/models.ts';
import { walk } from './walk.ts';

/** How deep below a workspace folder adapters are looked for. */
const ADAPTER_DEPTH = 6;

/**
 * The LoRA adapters in some folders, which may lie in each other, the newest first; those that
 * cannot be read are left out.
 */
export async function findAdapters(folders: readonly string[]): Promise<readonly FoundAdapter[]> {
  const found = new Map<string, FoundAdapter>();
  for (const top of folders) {
    for await (const { folder, files } of walk(top, { depth: ADAPTER_DEPTH, isWanted })) {
      if (!files.includes(ADAPTER_CONFIG_FILE) || !files.includes(ADAPTER_WEIGHTS_FILE)) continue;
      const adapter = await describe(folder).catch(() => undefined);
      if (adapter !== undefined) found.set(folder, adapter);
    }
  }
  return [...found.values()].toSorted((a, b) => b.modified.localeCompare(a.modified));
}

function isWanted(name: string): boolean {
  return name === ADAPTER_CONFIG_FILE || name === ADAPTER_WEIGHTS_FILE;
}

async function describe(folder: string): Promise<FoundAdapter> {
  const { config, baseModelNameOrPath } = await readAdapterConfig(folder);
  const { mtime } = await stat(path.join(folder, ADAPTER_WEIGHTS_FILE));
  const parent = path.dirname(folder);
  const isCheckpoint =
    /^checkpoint-\d+$/.test(path.basename(folder)) &&
    (await access(path.join(parent, RUN_FILES.config)).then(
      () => true,
      () => false,
    ));
  return {
    path: folder,
    name: isCheckpoint
      ? `${path.basename(parent)}/${path.basename(folder)}`
      : path.basename(folder),
    baseModel: baseModelNameOrPath,
    rank: config.r,
    quantization: await quantizationOfRun(isCheckpoint ? parent : folder),
    checkpointOf: isCheckpoint ? parent : null,
    problem: isCheckpoint ? await checkpointProblem(folder) : null,
    modified: mtime.toISOString(),
  };
}

/** Null also for a folder that is not a run's. */
async function quantizationOfRun(folder: string): Promise<FoundAdapter['quantization']> {
  try {
    const { config } = await readRunRecord(folder);
    return nf4Of(config) ?? null;
  } catch {
    return null;
  }
}
