import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import { TinyRuns } from './tiny-run.ts';

/** A folder of {@link TinyRuns} that all tests of one file share; removed afterwards. */
export function useTinyRuns(): () => TinyRuns {
  let runs: TinyRuns | undefined;
  beforeAll(async () => {
    runs = await TinyRuns.create(await mkdtemp(path.join(tmpdir(), 'lorafa-train-')));
    vi.stubEnv('LORAFA_CACHE_DIR', runs.fresh('cache'));
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await rm(runs!.folder, { recursive: true, force: true });
  });
  return () => runs!;
}
