import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE } from '../../engine/lora/adapter.ts';
import { readAdapterConfig } from '../../engine/lora/adapter-config.ts';
import { nf4Of } from '../../engine/plan/run-model.ts';
import { checkpointProblem, isCheckpointName } from '../../engine/train/checkpoint-folders.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { findRunRecord } from '../../engine/train/run-record.ts';
import type { FoundAdapter } from '../protocol/models.ts';
import { publicName } from '../publish/card-facts.ts';
import { tellsOfRun } from '../runs/delete-run.ts';
import { walk } from '../walk.ts';

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
  const { config, baseModelNameOrPath: baseModel } = await readAdapterConfig(folder);
  const { mtime, size } = await stat(path.join(folder, ADAPTER_WEIGHTS_FILE));
  const run = await runOfCheckpoint(folder);
  const record = await findRunRecord(run ?? folder);
  const own = path.basename(folder);
  return {
    path: folder,
    name: run === undefined ? own : `${path.basename(run)}/${own}`,
    baseModel,
    baseName: baseModel === null ? null : publicName(baseModel).name,
    rank: config.r,
    quantization: record === undefined ? null : (nf4Of(record.config) ?? null),
    checkpointOf: run ?? null,
    isResult: run === undefined && (record !== undefined || (await tellsOfRun(folder))),
    bytes: size,
    problem: run === undefined ? null : await checkpointProblem(folder),
    modified: mtime.toISOString(),
  };
}

/** The folder of the run whose checkpoint a folder is; undefined where it is none. */
export async function runOfCheckpoint(folder: string): Promise<string | undefined> {
  if (!isCheckpointName(path.basename(folder))) return undefined;
  const run = path.dirname(folder);
  return access(path.join(run, RUN_FILES.config)).then(
    () => run,
    () => undefined,
  );
}
