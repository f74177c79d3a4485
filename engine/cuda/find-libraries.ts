import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { openRegularFile } from '../bounded-file.ts';
import { CUDA_PROVIDER_FILES } from '../runtime/cuda-folder.ts';
import type { Python } from './python.ts';

/** Where libraries may be. */
export interface LibrarySource {
  /** For people, as "the Python environment /home/me/venv". */
  readonly name: string;
  readonly folders: readonly string[];
}

/** A library that is here. */
export interface FoundLibrary {
  readonly library: string;
  readonly file: string;
  /** {@link LibrarySource.name} */
  readonly source: string;
}

/** What was looked for. */
export interface FoundLibraries {
  readonly found: readonly FoundLibrary[];
  /** Sentences about what is there and cannot be used. */
  readonly refused: readonly string[];
}

/** Where the toolkit of CUDA and distributions put libraries. */
const SYSTEM_FOLDERS = [
  '/usr/local/cuda/lib64',
  '/usr/local/cuda-13/lib64',
  '/usr/local/cuda/targets/x86_64-linux/lib',
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib64',
  '/usr/lib',
  // The driver's library under Windows.
  '/usr/lib/wsl/lib',
];

/** More than any list of the loader's. */
const MAX_LIST_BYTES = 2 ** 24;

/** Bytes that are searched at once. */
const PIECE_BYTES = 2 ** 22;

/**
 * The folders of a Python in which the packages of ONNX Runtime and NVIDIA have libraries: `onnxruntime/capi`, and
 * `nvidia/cu13/lib` or `nvidia/NAME/lib`.
 */
export async function sourceOfPython({ program, folders }: Python): Promise<LibrarySource> {
  const nvidia = await Promise.all(
    folders.map(async (folder) => {
      const root = path.join(folder, 'nvidia');
      const names = await readdir(root).catch(() => []);
      return names.toSorted().map((name) => path.join(root, name, 'lib'));
    }),
  );
  const capi = folders.map((folder) => path.join(folder, 'onnxruntime', 'capi'));
  return { name: `the packages of ${program}`, folders: [...capi, ...nvidia.flat()] };
}

/** The folders in which the system looks for libraries. */
export async function systemSource(env: NodeJS.ProcessEnv = process.env): Promise<LibrarySource> {
  const named = (env['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== '');
  const known = (await loaderList()).matchAll(/ => (\/.+)$/gm);
  const listed = [...known].map(([, file]) => path.dirname(file!));
  return {
    name: 'the system',
    folders: [...new Set([...named, ...listed, ...SYSTEM_FOLDERS])],
  };
}

/**
 * Looks for libraries, each in all folders until it is there.
 *
 * @param version of ONNX Runtime that its provider has to be of
 */
export async function findLibraries(
  libraries: readonly string[],
  sources: readonly LibrarySource[],
  version: string,
): Promise<FoundLibraries> {
  const places = sources.flatMap(({ name, folders }) =>
    folders.map((folder) => ({ folder, source: name })),
  );
  const refused: string[] = [];
  const found: FoundLibrary[] = [];
  for (const library of libraries) {
    for (const { folder, source } of places) {
      const file = path.join(folder, library);
      if (!(await isFile(file))) continue;
      if (await isOfVersion(file, version)) {
        found.push({ library, file, source });
        break;
      }
      refused.push(`${file} is not that of ONNX Runtime ${version}, and is left out.`);
    }
  }
  return { found: withWholeProvider(found), refused };
}

/** Of a provider that is there in part nothing is used: its parts fit together alone. */
function withWholeProvider(found: readonly FoundLibrary[]): readonly FoundLibrary[] {
  const isProvider = ({ library }: FoundLibrary): boolean =>
    (CUDA_PROVIDER_FILES as readonly string[]).includes(library);
  const isWhole = found.filter(isProvider).length === CUDA_PROVIDER_FILES.length;
  return isWhole ? found : found.filter((each) => !isProvider(each));
}

/** Whether a library, if it is ONNX Runtime's CUDA provider, is of a version: that is a text in it. */
async function isOfVersion(file: string, version: string): Promise<boolean> {
  if (path.basename(file) !== CUDA_PROVIDER_FILES[0]) return true;
  const wanted = Buffer.from(`\0${version}\0`);
  const { handle } = await openRegularFile(file);
  try {
    let rest = Buffer.alloc(0);
    for await (const piece of handle.createReadStream({ highWaterMark: PIECE_BYTES })) {
      const bytes = Buffer.concat([rest, piece as Buffer]);
      if (bytes.includes(wanted)) return true;
      rest = bytes.subarray(-wanted.length);
    }
    return false;
  } finally {
    await handle.close();
  }
}

function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** What the loader knows without looking; nothing where it has no list. */
function loaderList(): Promise<string> {
  return new Promise((resolve) => {
    execFile('/sbin/ldconfig', ['-p'], { maxBuffer: MAX_LIST_BYTES }, (error, stdout) =>
      resolve(error === null ? stdout : ''),
    );
  });
}
