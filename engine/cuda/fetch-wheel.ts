import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { ensureFolder, moveFile } from '../files/folders.ts';
import { removeFolder } from '../files/remove.ts';
import { type Python, pythonOptions } from './python.ts';
import type { Wheel } from './wheels.ts';

/** How a wheel is fetched. */
export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of the file are here, now and then. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Milliseconds between two looks at how much has come. */
const LOOK_MS = 250;

/** What pip prints at most, in bytes. */
const MAX_OUTPUT_BYTES = 2 ** 24;

/**
 * Has pip fetch a wheel from wherever it is configured to, makes sure that it is the one that is meant, and takes
 * libraries out of it.
 *
 * @param folder to put them into; it does not exist yet, and is left as it is when this fails
 * @throws LorafaError `device.setup_failed`, `device.setup_cancelled`, `output.not_writable`
 */
export async function fetchWheel(
  python: Python,
  wheel: Wheel,
  folder: string,
  { signal, onBytes }: FetchOptions,
): Promise<void> {
  const [download, unpacked, temporary] = ['download', 'unpacked', 'temporary'].map((name) =>
    path.join(folder, name),
  ) as [string, string, string];
  for (const each of [download, unpacked, temporary]) await ensureFolder(each);
  const requirements = path.join(folder, 'requirements.txt');
  const { name, version, sha256 } = wheel;
  await writeFileAtomic(requirements, `${name}==${version} --hash=sha256:${sha256}\n`);
  // pip writes what comes into a folder of its own first.
  const watch = watchBytes([temporary, download], onBytes);
  try {
    const into = ['--dest', download, '--requirement', requirements];
    await runPython(python, wheel, [...pipArguments(wheel), ...into], temporary, signal);
  } finally {
    clearInterval(watch);
  }
  const file = (await readdir(download)).find((each) => each.endsWith('.whl'));
  if (file === undefined) throw failed(wheel, 'pip brought no wheel');
  const unzip = ['-m', 'zipfile', '-e', path.join(download, file), unpacked];
  await runPython(python, wheel, unzip, temporary, signal);
  await takeLibraries(wheel, unpacked, folder);
  for (const each of [download, unpacked, temporary, requirements]) await removeFolder(each);
}

/** The wheel for Linux x64, whichever Python it is whose pip fetches it. */
function pipArguments({ platform, python }: Wheel): readonly string[] {
  return [
    ...['-m', 'pip', 'download', '--quiet', '--no-input', '--disable-pip-version-check'],
    // Gigabytes that nobody asks for again.
    '--no-cache-dir',
    ...['--require-hashes', '--no-deps', '--only-binary=:all:', `--platform=${platform}`],
    ...(python === undefined ? [] : [`--python-version=${python}`]),
  ];
}

/** @throws LorafaError `device.setup_failed` where one is not there */
async function takeLibraries(wheel: Wheel, unpacked: string, folder: string): Promise<void> {
  const files = await readdir(unpacked, { recursive: true });
  for (const library of wheel.libraries) {
    const file = files.find((each) => path.basename(each) === library);
    if (file === undefined) throw failed(wheel, `it holds no ${library}`);
    await moveFile(path.join(unpacked, file), path.join(folder, library));
  }
}

function runPython(
  { program }: Python,
  wheel: Wheel,
  args: readonly string[],
  temporary: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { cwd, env } = pythonOptions({ ...process.env, TMPDIR: temporary });
  return new Promise((resolve, reject) => {
    const options = { cwd, env, maxBuffer: MAX_OUTPUT_BYTES, ...(signal && { signal }) };
    execFile(program, args, options, (error, _stdout, stderr) => {
      if (signal?.aborted) return reject(cancelled());
      if (error === null) return resolve();
      reject(failed(wheel, saidLast(stderr) || error.message));
    });
  });
}

/** pip's last word on an error, which is the sentence; its own hints come after it. */
function saidLast(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const error = lines.findLast((line) => line.startsWith('ERROR:'));
  return error?.slice('ERROR:'.length).trim() ?? lines.findLast((line) => line !== '') ?? '';
}

function watchBytes(
  folders: readonly string[],
  onBytes: FetchOptions['onBytes'],
): NodeJS.Timeout | undefined {
  if (onBytes === undefined) return undefined;
  return setInterval(async () => {
    onBytes(sum(await Promise.all(folders.map(bytesIn))));
  }, LOOK_MS);
}

async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = names.map((name) =>
    stat(path.join(folder, name)).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    ),
  );
  return sum(await Promise.all(sizes));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Somebody does not want it any more. */
export function cancelled(): LorafaError {
  return new LorafaError(
    'device.setup_cancelled',
    'CUDA was not set up: it was cancelled; what had come whole is kept for the next time.',
  );
}

function failed({ name, version }: Wheel, why: string): LorafaError {
  return new LorafaError(
    'device.setup_failed',
    `${name} ${version} could not be fetched by pip (${why}); see that \`python3 -m pip download\` works here, and try again: what had come whole is kept.`,
  );
}
