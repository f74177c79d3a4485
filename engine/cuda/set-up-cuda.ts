import path from 'node:path';
import { freeBytes } from '../disk-space.ts';
import { LorafaError } from '../errors.ts';
import { copyFile, pointTo } from '../files/create-file.ts';
import { ensureFolder, makeAside } from '../files/folders.ts';
import { removeFolder } from '../files/remove.ts';
import { formatBytes } from '../format-bytes.ts';
import { DownloadProgress, type OnDownload } from '../hub/download-progress.ts';
import { withRepositoryLock } from '../hub/repository-lock.ts';
import { bundledLibrary } from '../runtime/library.ts';
import { cancelled, fetchWheel } from './fetch-wheel.ts';
import type { CudaPlan, PlannedWheel } from './plan-cuda.ts';

/** How CUDA is set up. */
export interface SetUpOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnDownload | undefined;
}

/**
 * Does what was planned. Wheels are fetched one after the other, each into a folder that appears when it is whole, so
 * that what was interrupted goes on there; the folder that ONNX Runtime is opened from comes last, and holds a copy of
 * the package's ONNX Runtime and links to all else.
 *
 * @throws LorafaError `device.setup_failed`, `device.setup_cancelled`, `output.no_space`, `output.not_writable`
 */
export async function setUpCuda(
  plan: CudaPlan,
  { signal, onProgress = () => undefined }: SetUpOptions = {},
): Promise<void> {
  if (plan.isReady) return;
  const parent = path.dirname(plan.folder);
  await ensureFolder(parent);
  const waiting = 'waiting for another process that sets up CUDA';
  const tellWait = (): void => onProgress({ task: waiting, done: 0, total: 1 });
  const lock = path.join(parent, '.setup.lock');
  try {
    await withRepositoryLock(
      lock,
      tellWait,
      async () => {
        await fetchAll(plan, signal, onProgress);
        await makeFolder(plan);
      },
      signal,
    );
  } catch (error) {
    if (signal?.aborted && !(error instanceof LorafaError)) throw cancelled();
    throw error;
  }
}

async function fetchAll(
  { wheels, python, folder }: CudaPlan,
  signal: AbortSignal | undefined,
  onProgress: OnDownload,
): Promise<void> {
  const missing = wheels.filter(({ isHere }) => !isHere);
  if (missing.length === 0) return;
  if (python === undefined) {
    throw new LorafaError(
      'device.setup_failed',
      "CUDA's libraries are fetched by Python's pip, which was not found; install it (Debian, Ubuntu: python3-pip), or put the libraries into a folder and choose that (lorafa.cuda.folder, LORAFA_CUDA_FOLDER).",
    );
  }
  await requireSpace(missing, path.dirname(folder));
  const total = wheels.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = new DownloadProgress("fetching CUDA's libraries", total, onProgress);
  for (const wheel of wheels) {
    if (wheel.isHere) {
      progress.add(wheel.bytes, false);
      continue;
    }
    let come = 0;
    const onBytes = (bytes: number): void => {
      // While it is unpacked there is more than the file.
      const now = Math.min(bytes, wheel.bytes);
      progress.add(now - come, true);
      come = now;
    };
    await makeAside(wheel.folder, (staged) =>
      fetchWheel(python, wheel, staged, { signal, onBytes }),
    );
    onBytes(wheel.bytes);
  }
  progress.end();
}

/** @throws LorafaError `output.no_space` */
async function requireSpace(wheels: readonly PlannedWheel[], folder: string): Promise<void> {
  // A wheel is there beside what is taken out of it, until that is done.
  const needed =
    wheels.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0) +
    Math.max(...wheels.map(({ bytes }) => bytes));
  const free = await freeBytes(folder);
  if (needed <= free) return;
  throw new LorafaError(
    'output.no_space',
    `CUDA's libraries need ${formatBytes(needed)} in ${folder}, and there is room for ${formatBytes(free)}; free some space, or set LORAFA_CACHE_DIR to a folder on another disk.`,
    { location: { file: folder } },
  );
}

/** Makes the folder from which ONNX Runtime is opened, in the place of one that is incomplete. */
async function makeFolder({ folder, found, wheels }: CudaPlan): Promise<void> {
  const files = new Map(found.map(({ library, file }) => [library, file]));
  for (const wheel of wheels) {
    for (const library of wheel.libraries) files.set(library, path.join(wheel.folder, library));
  }
  const runtime = bundledLibrary().file;
  await removeFolder(folder);
  await makeAside(folder, async (staged) => {
    await ensureFolder(staged);
    // The package's goes with its next version.
    await copyFile(runtime, path.join(staged, path.basename(runtime)), 'device.unavailable');
    for (const [library, file] of files) await pointTo(file, path.join(staged, library));
  });
}
