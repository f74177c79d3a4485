import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type DeviceStatus, probeDevice } from '../../engine/runtime/devices.ts';
import { BuiltCli } from '../support/built-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { FakeCuda } from './fake-cuda.ts';

const fake = await FakeCuda.open();
const missing = typeof fake === 'string' ? fake : undefined;

describe.skipIf(missing !== undefined)(`a folder for CUDA (${missing ?? 'built'})`, () => {
  let cli: BuiltCli;
  let folder: string;
  let driver: string;

  beforeAll(async () => {
    cli = await BuiltCli.build();
  }, 60_000);

  afterAll(() => cli.remove());

  beforeEach(async () => {
    folder = await tempFolder();
    driver = await (fake as FakeCuda).putSideBySide(folder);
    vi.stubEnv('LORAFA_CUDA_FOLDER', folder);
    // The driver's is the system's; all others are found without a library path.
    vi.stubEnv('LD_LIBRARY_PATH', driver);
    // No set-up of this machine's.
    vi.stubEnv('LORAFA_CACHE_DIR', await tempFolder());
  });

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  const tried = (index = 0): Promise<DeviceStatus> =>
    probeDevice({ kind: 'cuda', index }, path.join(cli.folder, 'out', 'probe-device.js'));

  /** Puts a library of a few lines of C in the place of one. */
  async function replace(name: string, source: string): Promise<void> {
    const file = path.join(await tempFolder(), 'library.c');
    await writeFile(file, source);
    await rm(path.join(folder, name));
    const output = ['-o', path.join(folder, name), `-Wl,-soname,${name}`];
    await promisify(execFile)('gcc', ['-shared', '-fPIC', ...output, file]);
  }

  test('has all that is needed: the device computes, if wrongly, as the stand-in must', async () => {
    expect((await tried()).problem).toMatch(
      /^cuda:0 cannot be used \(it computes wrongly: a result was off by .*\): .*\.$/,
    );
  });

  test.each(['libcudart.so.13', 'libcublasLt.so.13', 'libcublas.so.13', 'libcurand.so.10'])(
    'without %s names it, and how to get it',
    async (library) => {
      await rm(path.join(folder, library));
      expect((await tried()).problem).toBe(
        `cuda:0 cannot be used (the library ${library} is missing): run the command "LoRA-FA: Set Up CUDA" or \`lorafa cuda setup\`, which finds or fetches what is missing.`,
      );
    },
  );

  test("without the driver's library names the driver", async () => {
    await rm(path.join(driver, 'libcuda.so.1'));
    expect((await tried()).problem).toBe(
      "cuda:0 cannot be used (libcuda.so.1, which is a part of NVIDIA's driver, is missing): install NVIDIA's driver of version 580 or later.",
    );
  });

  test.each([
    ['libonnxruntime_providers_cuda.so', 'lacks libonnxruntime_providers_cuda.so'],
    ['libonnxruntime_providers_shared.so', 'lacks libonnxruntime_providers_shared.so'],
    ['libonnxruntime.so.1', "lacks ONNX Runtime's own library"],
  ])('without %s says what the chosen folder lacks', async (library, lacking) => {
    await rm(path.join(folder, library));
    expect((await tried()).problem).toContain(
      `cuda:0 cannot be used (${folder}, which was chosen for CUDA, ${lacking}): `,
    );
  });

  test('with a library that was cut off says which', async () => {
    const file = path.join(folder, 'libcublas.so.13');
    const content = await readFile(file);
    await rm(file);
    await writeFile(file, content);
    await truncate(file, content.length - 1000);
    expect((await tried()).problem).toContain(`(${file} is cut off: `);
  });

  test('with libraries that do not fit together says so', async () => {
    await replace('libcublas.so.13', 'int nothing(void) { return 0; }');
    expect((await tried()).problem).toMatch(
      /\(its libraries are of versions that do not fit together \(undefined symbol: cublas\w+\)\): run `lorafa cuda setup --download`/,
    );
  });

  test('with another ONNX Runtime is refused, and the CPU computes with that of the package', async () => {
    await replace(
      'libonnxruntime.so.1',
      `static const void *api(unsigned version) { return version > 17 ? 0 : "old"; }
       static const char *version(void) { return "1.17.3"; }
       static const void *base[] = { api, version };
       const void *OrtGetApiBase(void) { return base; }`,
    );
    const { code, stdout } = await cli.run(['doctor', '--json']);
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as {
      onnxruntime: { devices: readonly { device: string; usable: boolean; problem?: string }[] };
    };
    const [cpu, cuda] = report.onnxruntime.devices;
    expect(cpu).toEqual({ device: 'cpu', usable: true });
    expect(cuda?.problem).toContain(`${folder}/libonnxruntime.so.1 is ONNX Runtime 1.17.3, which`);
  });

  test('with a later ONNX Runtime, which has all functions that are used, is refused as well', async () => {
    await replace(
      'libonnxruntime.so.1',
      `static void *table[512];
       static int nothing(void) { return 0; }
       __attribute__((constructor)) static void fill(void) { for (int i = 0; i < 512; i++) table[i] = nothing; }
       static const void *api(unsigned version) { return table; }
       static const char *version(void) { return "1.99.0"; }
       static const void *base[] = { api, version };
       const void *OrtGetApiBase(void) { return base; }`,
    );
    expect((await tried()).problem).toMatch(
      /\(\S+\/libonnxruntime\.so\.1 is ONNX Runtime 1\.99\.0, and this needs \d+\.\d+\.\d+\): /,
    );
  });

  test('is what a set-up uses as it is, and tries', async () => {
    const planned = await cli.run(['cuda', 'setup', '--plan', '--json']);
    expect(planned).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(planned.stdout)).toMatchObject({
      folder,
      isReady: true,
      downloadBytes: 0,
      driverProblem: null,
    });
    const tried = await cli.run(['cuda', 'setup']);
    expect(tried.code).toBe(5);
    expect(tried.stderr).toContain(`CUDA's libraries are in ${folder}.`);
    expect(tried.stderr).toContain('cuda:0 cannot be used (it computes wrongly');
    expect(await readdir(process.env['LORAFA_CACHE_DIR']!)).toEqual([]);
  });

  test('that is none is refused by its name', async () => {
    const nowhere = path.join(folder, 'nowhere');
    vi.stubEnv('LORAFA_CUDA_FOLDER', nowhere);
    expect((await tried()).problem).toContain(
      `(${nowhere}, which was chosen for CUDA, is not a folder with libraries)`,
    );
  });

  test.each([
    [
      35,
      "(NVIDIA's driver is too old for CUDA 13): install NVIDIA's driver of version 580 or later.",
    ],
    [46, '(another program has the GPU for itself): end that program, '],
    [100, '(no NVIDIA GPU was found): see whether `nvidia-smi` lists one; '],
    [209, '(the GPU is older than what CUDA 13 computes on): '],
    [803, "(NVIDIA's driver was updated while the old one is still in use): restart the computer."],
  ])('above CUDA that ends with error %i says what that means', async (error, words) => {
    vi.stubEnv('FAKE_CUDA_ERROR', String(error));
    expect((await tried()).problem).toContain(`cuda:0 cannot be used ${words}`);
  });

  test('says that there is no such device', async () => {
    expect((await tried(3)).problem).toContain(
      'cuda:3 cannot be used (there is no NVIDIA GPU of this number): ',
    );
  });

  test('says that the memory of the device is taken', async () => {
    vi.stubEnv('FAKE_CUDA_GIB', '0.00001');
    expect((await tried()).problem).toContain(
      'cuda:0 cannot be used (there is not enough memory): other programs may have the memory of the GPU',
    );
  });

  test('that was set up is found without a variable', async () => {
    vi.stubEnv('LORAFA_CUDA_FOLDER', '');
    expect((await tried()).problem).toContain(
      "(ONNX Runtime's CUDA libraries are not installed): ",
    );
    const cache = await tempFolder();
    const { version } = JSON.parse(
      await readFile(path.join(cli.folder, 'node_modules/onnxruntime-node/package.json'), 'utf8'),
    ) as { version: string };
    await mkdir(path.join(cache, 'cuda'));
    await symlink(folder, path.join(cache, 'cuda', version));
    vi.stubEnv('LORAFA_CACHE_DIR', cache);
    expect((await tried()).problem).toContain('computes wrongly');
  });
});
