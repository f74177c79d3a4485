import { existsSync } from 'node:fs';
import path from 'node:path';
import { defaultCacheFolder } from '../cache-folder.ts';
import { LorafaError } from '../errors.ts';
import {
  CUDA_PROVIDER_FILES,
  chosenCudaFolder,
  madeCudaFolder,
  NVIDIA_LIBRARIES,
} from '../runtime/cuda-folder.ts';
import { parseDevice } from '../runtime/device.ts';
import { deviceProblem } from '../runtime/device-problem.ts';
import { bundledLibrary, lackingForCuda } from '../runtime/library.ts';
import { nvidiaGpus } from '../runtime/nvidia-smi.ts';
import {
  type FoundLibrary,
  findLibraries,
  sourceOfPython,
  systemSource,
} from './find-libraries.ts';
import { findPythons, type Python } from './python.ts';
import { WHEELS, type Wheel } from './wheels.ts';

/** What CUDA needs, beside the driver: ONNX Runtime's provider and NVIDIA's libraries. */
export const CUDA_FILES: readonly string[] = [...CUDA_PROVIDER_FILES, ...NVIDIA_LIBRARIES];

/** The device that is tried when CUDA is set up. */
export const FIRST_GPU = 'cuda:0';

/** The oldest driver for CUDA 13. */
const OLDEST_DRIVER = 580;

/** A wheel that libraries come from. */
export interface PlannedWheel extends Wheel {
  /** Where its libraries lie, or will. */
  readonly folder: string;
  /** It came whole an earlier time, and is not fetched again. */
  readonly isHere: boolean;
}

/** What setting up CUDA will do. */
export interface CudaPlan {
  /** The folder from which ONNX Runtime will be opened. */
  readonly folder: string;
  /** Nothing has to be done: it is the user's own, or all of it was set up before. */
  readonly isReady: boolean;
  /** Libraries that are here. */
  readonly found: readonly FoundLibrary[];
  /** Where the others come from. */
  readonly wheels: readonly PlannedWheel[];
  /** The Python whose pip fetches; undefined where there is none. */
  readonly python: Python | undefined;
  /** Sentences about what is here and cannot be used. */
  readonly notes: readonly string[];
  /** Why no GPU will compute whatever is set up, in a sentence; undefined where nothing is known against it. */
  readonly driverProblem: string | undefined;
}

/** What is planned with. */
export interface PlanOptions {
  /** Fetches everything, whatever is here. */
  readonly isAllFetched?: boolean | undefined;
  /** Other wheels than those that the provider needs. */
  readonly wheels?: readonly Wheel[] | undefined;
}

/**
 * Looks for what CUDA needs: in the folder that was chosen, in the Python environments, in the system; and says what
 * has to be fetched. Changes nothing.
 *
 * @throws LorafaError `device.unavailable` for a platform without, and for a chosen folder that lacks something
 */
export async function planCuda({
  isAllFetched = false,
  wheels = WHEELS,
}: PlanOptions = {}): Promise<CudaPlan> {
  requirePlatform();
  const { version } = bundledLibrary();
  const [pythons, system] = await Promise.all([findPythons(), systemSource()]);
  const python = pythons.find(({ hasPip }) => hasPip);
  const driverProblem = await problemWithDriver(system.folders);
  const chosen = chosenCudaFolder();
  if (chosen !== undefined) {
    const folders = [{ name: chosen, folders: [chosen] }, system];
    const { found, refused } = await findLibraries(CUDA_FILES, folders, version);
    requireWhole(chosen, found, refused);
    return { folder: chosen, isReady: true, found, wheels: [], python, notes: [], driverProblem };
  }
  const folder = madeCudaFolder(version);
  // Links of which one leads nowhere are no set-up any more.
  const isReady = !isAllFetched && CUDA_FILES.every((file) => existsSync(path.join(folder, file)));
  const made = { folder, isReady, python, driverProblem };
  if (isReady) return { ...made, found: [], wheels: [], notes: [] };
  const sources = isAllFetched ? [] : [...(await Promise.all(pythons.map(sourceOfPython))), system];
  const { found, refused } = await findLibraries(CUDA_FILES, sources, version);
  const isFound = (library: string): boolean => found.some((each) => each.library === library);
  const missing = wheels.filter(({ libraries }) => !libraries.every(isFound)).map(planned);
  return { ...made, found, wheels: missing, notes: refused };
}

function planned(wheel: Wheel): PlannedWheel {
  const id = `${wheel.name}-${wheel.version}`;
  const folder = path.join(defaultCacheFolder(), 'cuda', 'wheels', id);
  const isHere = wheel.libraries.every((library) => existsSync(path.join(folder, library)));
  return { ...wheel, folder, isHere };
}

function requirePlatform(): void {
  const { platform, arch } = process;
  if (platform === 'linux' && arch === 'x64') return;
  throw new LorafaError(
    'device.unavailable',
    `CUDA can be set up on Linux x64, and this is ${platform} ${arch}; other GPUs compute with the device webgpu.`,
  );
}

function requireWhole(
  chosen: string,
  found: readonly FoundLibrary[],
  refused: readonly string[],
): void {
  const missing = CUDA_FILES.find((library) => !found.some((each) => each.library === library));
  const lacking =
    lackingForCuda(chosen) ?? (missing === undefined ? undefined : `lacks ${missing}`);
  if (lacking === undefined) return;
  const why = [...refused, ''].join(' ');
  throw new LorafaError(
    'device.unavailable',
    `${why}${chosen}, which was chosen for CUDA (lorafa.cuda.folder, LORAFA_CUDA_FOLDER), ${lacking}; put it there, or choose no folder, so that \`lorafa cuda setup\` makes one.`,
    { location: { file: chosen } },
  );
}

/** What is known before anything is fetched: a GPU needs its driver, and CUDA 13 one that is not too old. */
async function problemWithDriver(folders: readonly string[]): Promise<string | undefined> {
  const device = parseDevice(FIRST_GPU);
  const library = 'libcuda.so.1';
  if (!folders.some((folder) => existsSync(path.join(folder, library)))) {
    return deviceProblem(device, `${library}: cannot open`);
  }
  const driver = (await nvidiaGpus())?.[0]?.driver ?? '';
  const isOld = Number.parseInt(driver, 10) < OLDEST_DRIVER;
  return isOld ? deviceProblem(device, 'driver version is insufficient') : undefined;
}
