import { existsSync } from 'node:fs';
import {
  copyFile,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { CUDA_FILES, planCuda } from '../../../engine/cuda/plan-cuda.ts';
import { setUpCuda } from '../../../engine/cuda/set-up-cuda.ts';
import type { Wheel } from '../../../engine/cuda/wheels.ts';
import type { DownloadState } from '../../../engine/hub/download-progress.ts';
import { bundledLibrary } from '../../../engine/runtime/library.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { makeWheel, pipProblem } from '../../support/wheels.ts';

const missing = pipProblem();

/** What tells a provider's version. */
const PROVIDER = `provider\0${missing === undefined ? bundledLibrary().version : ''}\0`;

// Each wheel starts Python twice.
describe.skipIf(missing !== undefined)(
  `setting up CUDA (${missing ?? 'with pip'})`,
  { timeout: 120_000 },
  () => {
    let cache: string;
    let index: string;
    let wheels: readonly Wheel[];

    beforeAll(async () => {
      index = await mkdtemp(path.join(os.tmpdir(), 'lorafa-wheels-'));
      wheels = [
        await makeWheel(index, 'stand-in-provider', {
          'onnxruntime/capi/libonnxruntime_providers_cuda.so': PROVIDER,
          'onnxruntime/capi/libonnxruntime_providers_shared.so': 'shared',
        }),
        await makeWheel(index, 'stand-in-cublas', {
          'nvidia/cu13/lib/libcublas.so.13': 'cublas',
          'nvidia/cu13/lib/libcublasLt.so.13': 'cublasLt',
        }),
        await makeWheel(index, 'stand-in-others', {
          'nvidia/cu13/lib/libcudart.so.13': 'cudart',
          'nvidia/cu13/lib/libcurand.so.10': 'curand',
        }),
      ];
    }, 60_000);

    afterAll(() => rm(index, { recursive: true }));

    beforeEach(async () => {
      cache = await tempFolder();
      vi.stubEnv('LORAFA_CACHE_DIR', cache);
      vi.stubEnv('LORAFA_CUDA_FOLDER', '');
      // As a machine without a network is configured.
      vi.stubEnv('PIP_NO_INDEX', '1');
      vi.stubEnv('PIP_FIND_LINKS', index);
    });

    afterEach(() => {
      vi.unstubAllEnvs();
    });

    /** Files below the cache folder, links among them. */
    async function cached(): Promise<readonly string[]> {
      const files = await readdir(cache, { recursive: true, withFileTypes: true });
      return files
        .filter((file) => !file.isDirectory())
        .map((file) => path.relative(cache, path.join(file.parentPath, file.name)))
        .toSorted();
    }

    test('fetches all that is missing into one folder, beside a copy of ONNX Runtime', async () => {
      const plan = await planCuda({ wheels, isAllFetched: true });
      expect(plan).toMatchObject({ isReady: false, found: [], notes: [] });
      expect(plan.wheels.map(({ name, isHere }) => [name, isHere])).toEqual(
        wheels.map(({ name }) => [name, false]),
      );
      const states: DownloadState[] = [];
      await setUpCuda(plan, { onProgress: (state) => states.push(state) });
      const runtime = bundledLibrary().file;
      expect((await readdir(plan.folder)).toSorted()).toEqual(
        [...CUDA_FILES, path.basename(runtime)].toSorted(),
      );
      expect(await readFile(path.join(plan.folder, 'libcublas.so.13'), 'utf8')).toBe('cublas');
      const own = await lstat(path.join(plan.folder, path.basename(runtime)));
      expect([own.isFile(), own.size]).toEqual([true, (await lstat(runtime)).size]);
      // Nothing of the wheels but their libraries, and no wheel.
      const libraries = wheels.flatMap(({ name, version, libraries }) =>
        libraries.map((library) => `cuda/wheels/${name}-${version}/${library}`),
      );
      const inWheels = (await cached()).filter((file) => file.startsWith('cuda/wheels'));
      expect(inWheels).toEqual(libraries.toSorted());
      const total = wheels.reduce((sum, { bytes }) => sum + bytes, 0);
      expect(states.at(-1)).toMatchObject({ done: total, total });
      expect(await planCuda({ wheels })).toMatchObject({ isReady: true, wheels: [] });
    });

    test('goes on where it was interrupted', async () => {
      const broken = wheels.map((wheel, i) =>
        i === 2 ? { ...wheel, sha256: '0'.repeat(64) } : wheel,
      );
      const first = await planCuda({ wheels: broken, isAllFetched: true });
      await expect(setUpCuda(first)).rejects.toMatchObject({
        code: 'device.setup_failed',
        message: expect.stringMatching(
          /^stand-in-others 1\.0 could not be fetched by pip \(.*\); /,
        ),
      });
      expect(existsSync(first.folder)).toBe(false);
      const again = await planCuda({ wheels, isAllFetched: true });
      expect(again.wheels.map(({ isHere }) => isHere)).toEqual([true, true, false]);
      // Those that are here are not fetched again: the index has them no more.
      const rest = await tempFolder();
      const last = (await readdir(index)).find((name) => name.startsWith('stand_in_others'))!;
      await copyFile(path.join(index, last), path.join(rest, last));
      vi.stubEnv('PIP_FIND_LINKS', rest);
      await setUpCuda(again);
      expect(await readFile(path.join(again.folder, 'libcurand.so.10'), 'utf8')).toBe('curand');
    });

    test('that is cancelled leaves whole wheels and nothing half', async () => {
      const plan = await planCuda({ wheels, isAllFetched: true });
      const abort = new AbortController();
      const onProgress = ({ done }: DownloadState): void => {
        if (done > wheels[0]!.bytes) abort.abort();
      };
      await expect(setUpCuda(plan, { signal: abort.signal, onProgress })).rejects.toMatchObject({
        code: 'device.setup_cancelled',
      });
      const left = await cached();
      for (const { name, version, libraries } of wheels) {
        const folder = `cuda/wheels/${name}-${version}`;
        const whole = libraries.map((library) => `${folder}/${library}`).toSorted();
        const kept = left.filter((file) => file.startsWith(`${folder}/`));
        expect(kept).toEqual(kept.length === 0 && name !== wheels[0]!.name ? [] : whole);
      }
      expect(left.filter((file) => !file.startsWith('cuda/wheels/stand-in'))).toEqual([]);
      expect(existsSync(plan.folder)).toBe(false);
    });

    test('uses what a Python environment has, but not the provider of another version', async () => {
      const packages = await tempFolder();
      const capi = path.join(packages, 'onnxruntime', 'capi');
      const nvidia = path.join(packages, 'nvidia', 'cu13', 'lib');
      for (const folder of [capi, nvidia]) await mkdir(folder, { recursive: true });
      for (const name of [
        'libonnxruntime_providers_cuda.so',
        'libonnxruntime_providers_shared.so',
      ]) {
        await writeFile(path.join(capi, name), 'provider\x001.0.0\x00');
      }
      await writeFile(path.join(nvidia, 'libcublas.so.13'), 'theirs');
      await writeFile(path.join(nvidia, 'libcublasLt.so.13'), 'theirs');
      vi.stubEnv('PYTHONPATH', packages);
      const plan = await planCuda({ wheels });
      expect(plan.found.map(({ file }) => file)).toEqual(
        expect.arrayContaining([path.join(nvidia, 'libcublas.so.13')]),
      );
      const { version } = bundledLibrary();
      expect(plan.notes).toEqual([
        `${capi}/libonnxruntime_providers_cuda.so is not that of ONNX Runtime ${version}, and is left out.`,
      ]);
      expect(plan.wheels.map(({ name }) => name)).toEqual(['stand-in-provider', 'stand-in-others']);
      await setUpCuda(plan);
      expect(await realpath(path.join(plan.folder, 'libcublas.so.13'))).toBe(
        path.join(nvidia, 'libcublas.so.13'),
      );
      await writeFile(path.join(capi, 'libonnxruntime_providers_cuda.so'), PROVIDER);
      const whole = await planCuda({ wheels: [], isAllFetched: false });
      expect(whole.isReady).toBe(true);
    });

    test('makes nothing where the folder that was chosen has all, and says what one lacks', async () => {
      const chosen = await tempFolder();
      vi.stubEnv('LORAFA_CUDA_FOLDER', chosen);
      for (const name of CUDA_FILES) await writeFile(path.join(chosen, name), PROVIDER);
      await expect(planCuda({ wheels })).rejects.toMatchObject({
        code: 'device.unavailable',
        message: expect.stringContaining(`${chosen}, which was chosen for CUDA`),
      });
      await writeFile(path.join(chosen, 'libonnxruntime.so.1'), 'runtime');
      const plan = await planCuda({ wheels });
      expect(plan).toMatchObject({ folder: chosen, isReady: true, wheels: [] });
      await setUpCuda(plan);
      expect(await cached()).toEqual([]);
    });

    test('says what to do without pip', async () => {
      vi.stubEnv('PATH', '');
      for (const name of ['VIRTUAL_ENV', 'CONDA_PREFIX']) vi.stubEnv(name, '');
      const plan = await planCuda({ wheels, isAllFetched: true });
      await expect(setUpCuda(plan)).rejects.toMatchObject({
        code: 'device.setup_failed',
        message: expect.stringContaining('fetched by Python'),
      });
    });
  },
);
