import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The root of the repository, where all that uses this is started; a bundle of it lies elsewhere. */
const repository = process.cwd();
const sources = path.join(repository, 'test', 'fake-cuda');

/** ONNX Runtime's CUDA build of the version that the product has, and the headers of the CUDA that it wants. */
const WHEELS = [
  {
    requirement: 'onnxruntime-gpu==1.30.0',
    sha256: '4fbf0c5d7b5fb99266c2e8a802e3e64af68bdc383e0f3c7349b985f1087eedaa',
    platform: 'manylinux_2_28_x86_64',
  },
  {
    requirement: 'nvidia-cuda-runtime==13.2.86',
    sha256: '3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0',
    platform: 'manylinux2014_x86_64',
  },
] as const;

/** What stands in for each library that the provider is linked to. */
const LIBRARIES = {
  'libcudart.so.13': 'cudart.c',
  'libcublas.so.13': 'cublas.c',
  'libcublasLt.so.13': 'cublaslt.c',
} as const;

/** The library whose functions tell what was counted. */
export const RUNTIME_LIBRARY = 'libcudart.so.13' satisfies keyof typeof LIBRARIES;

/** The library that counts products. */
export const PRODUCTS_LIBRARY = 'libcublas.so.13' satisfies keyof typeof LIBRARIES;

/** That comes with a driver and nowhere else. */
export const DRIVER_LIBRARY = 'libcuda.so.1';

/** Where ONNX Runtime's library and its providers are. */
const RUNTIME_FOLDER = path.join('onnxruntime-node', 'bin', 'napi-v6', 'linux', 'x64');

const PROVIDER = 'libonnxruntime_providers_cuda.so';
const PROVIDERS = [PROVIDER, 'libonnxruntime_providers_shared.so'];

/**
 * ONNX Runtime's real CUDA provider on libraries that compute nothing: it is seen what is placed on a device,
 * how much memory is taken there, and what is copied.
 */
export class FakeCuda {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Builds it, the first time, in the user's cache: half a gigabyte.
   *
   * @returns a few words on what is missing where it cannot be had
   */
  static async open(): Promise<FakeCuda | string> {
    if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux x64';
    for (const [program, flag] of [
      ['gcc', '--version'],
      ['python3', '--version'],
    ] as const) {
      try {
        execFileSync(program, [flag], { stdio: 'ignore' });
      } catch {
        return `there is no ${program}`;
      }
    }
    const cache = process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache');
    const folder = path.join(cache, 'lorafa-fake-cuda', await digest());
    try {
      if (!(await exists(folder))) await build(folder);
      return new FakeCuda(folder);
    } catch (error) {
      return `the stand-in could not be built: ${String(error).split('\n').at(0)}`;
    }
  }

  /** Puts the packages where a program in a folder finds them. */
  async install(folder: string): Promise<void> {
    const modules = path.join(folder, 'node_modules');
    await mkdir(modules, { recursive: true });
    for (const name of ['koffi', '@koromix']) {
      const from = path.join(repository, 'node_modules', name);
      if (await exists(from)) await symlink(from, path.join(modules, name));
    }
    await symlink(
      path.join(this.#folder, 'onnxruntime-node'),
      path.join(modules, 'onnxruntime-node'),
    );
  }

  /**
   * Makes a folder as users have it: ONNX Runtime, its provider and the libraries that it is linked to side by side,
   * but for the driver's, whose folder is returned.
   */
  async putSideBySide(folder: string): Promise<string> {
    const runtime = path.join(this.#folder, RUNTIME_FOLDER);
    for (const name of await readdir(runtime)) {
      if (name.endsWith('.node')) continue;
      await symlink(path.join(runtime, name), path.join(folder, name));
    }
    const driver = path.join(folder, 'driver');
    await mkdir(driver);
    const libraries = path.join(this.#folder, 'lib');
    for (const name of await readdir(libraries)) {
      const target = name === DRIVER_LIBRARY ? driver : folder;
      await symlink(path.join(libraries, name), path.join(target, name));
    }
    return driver;
  }

  /** For a process whose programs are to find the stand-in. */
  get environment(): Record<string, string> {
    return {
      LD_LIBRARY_PATH: path.join(this.#folder, 'lib'),
      // Before whatever was set up on this machine.
      LORAFA_CUDA_FOLDER: path.join(this.#folder, RUNTIME_FOLDER),
    };
  }
}

/** Of all that it is made from. */
async function digest(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(WHEELS));
  const files = (await readdir(sources)).filter((name) => /\.[ch]$/.test(name));
  for (const name of files.toSorted()) {
    hash.update(await readFile(path.join(sources, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Beside its place, so that it appears there whole. */
async function build(folder: string): Promise<void> {
  await mkdir(path.dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}.`);
  try {
    const wheels = path.join(work, 'wheels');
    for (const wheel of WHEELS) await fetchWheel(work, wheel);
    const made = path.join(work, 'made');
    await buildLibraries(work, wheels, path.join(made, 'lib'));
    const runtime = path.join(made, 'onnxruntime-node');
    await cp(path.join(repository, 'node_modules', 'onnxruntime-node'), runtime, {
      recursive: true,
      dereference: true,
    });
    for (const name of PROVIDERS) {
      const from = path.join(wheels, 'onnxruntime', 'capi', name);
      await rename(from, path.join(made, RUNTIME_FOLDER, name));
    }
    await rename(made, folder).catch(async (error: unknown) => {
      // Another test was faster.
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function fetchWheel(
  work: string,
  { requirement, sha256, platform }: (typeof WHEELS)[number],
): Promise<void> {
  const requirements = path.join(work, 'requirements.txt');
  const into = path.join(work, 'download');
  await writeFile(requirements, `${requirement} --hash=sha256:${sha256}\n`);
  const choice = [
    '--no-deps',
    '--only-binary=:all:',
    '--python-version=3.11',
    `--platform=${platform}`,
  ];
  const pip = ['-m', 'pip', 'download', '--quiet', '--retries=1', '--require-hashes', ...choice];
  await run('python3', [...pip, '--dest', into, '--requirement', requirements]);
  for (const wheel of await readdir(into)) {
    const unpack = ['-m', 'zipfile', '-e', path.join(into, wheel), path.join(work, 'wheels')];
    await run('python3', unpack);
  }
  await rm(into, { recursive: true });
}

async function buildLibraries(work: string, wheels: string, lib: string): Promise<void> {
  await mkdir(lib, { recursive: true });
  await mkdir(path.join(work, 'crt'));
  await cp(path.join(sources, 'host_defines.h'), path.join(work, 'crt/host_defines.h'));
  const include = path.join(wheels, 'nvidia', 'cu13', 'include');
  const wanted = await importedSymbols(path.join(wheels, 'onnxruntime', 'capi', PROVIDER));
  for (const [library, name] of Object.entries(LIBRARIES)) {
    const source = path.join(sources, name);
    const written = await readFile(source, 'utf8');
    // What the provider wants and nobody wrote is a function that succeeds.
    const rest = (wanted.get(library) ?? [])
      .filter((symbol) => !new RegExp(`\\b${symbol}\\(`).test(written))
      .map((symbol) => `int ${symbol}(void) { return 0; }\n`);
    const others = path.join(work, `rest-${name}`);
    await writeFile(others, rest.join(''));
    const versions = path.join(work, `${library}.map`);
    await writeFile(versions, `${library} { global: *; };\n`);
    await run('gcc', [
      ...['-O1', '-shared', '-fPIC', '-w', `-I${work}`, `-I${include}`, source, others],
      ...['-o', path.join(lib, library), `-Wl,-soname,${library}`],
      `-Wl,--version-script=${versions}`,
    ]);
  }
  for (const [library, functions] of [
    [DRIVER_LIBRARY, ['cuTensorMapEncodeTiled', 'cuInit']],
    ['libcurand.so.10', []],
  ] as const) {
    const source = path.join(work, `${library}.c`);
    await writeFile(source, functions.map((name) => `int ${name}(void) { return 0; }\n`).join(''));
    const output = ['-o', path.join(lib, library), `-Wl,-soname,${library}`];
    await run('gcc', ['-shared', '-fPIC', source, ...output]);
  }
}

/** The symbols that a library has from each of others. */
async function importedSymbols(file: string): Promise<Map<string, string[]>> {
  const { stdout } = await run('nm', ['-D', '--undefined-only', file], { maxBuffer: 2 ** 26 });
  const found = new Map<string, string[]>();
  for (const [, symbol, library] of stdout.matchAll(/ U (\w+)@(\S+)/g)) {
    found.set(library!, [...(found.get(library!) ?? []), symbol!]);
  }
  return found;
}

async function exists(file: string): Promise<boolean> {
  return readdir(path.dirname(file)).then(
    (names) => names.includes(path.basename(file)),
    () => false,
  );
}
