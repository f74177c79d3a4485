import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { CPU } from '../../../engine/runtime/device.ts';
import { autoDevice, chooseDevice, probeDevice } from '../../../engine/runtime/devices.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const CUDA = { kind: 'cuda', index: 0 } as const;
const WEBGPU = { kind: 'webgpu', index: 0 } as const;

/** A probe that does as `body` says instead of trying a device. */
async function probe(body: string): Promise<string> {
  const file = path.join(await tempFolder(), 'probe.mjs');
  await writeFile(file, body);
  return file;
}

describe('a device is tried in a process of its own', () => {
  test('and is usable when that ends well', async () => {
    expect(await probeDevice(CUDA, await probe(''))).toEqual({ device: CUDA, usable: true });
  });

  test('which is told the device', async () => {
    const script = await probe('if (process.argv[2] !== "cuda:2") process.exit(1)');
    expect((await probeDevice({ kind: 'cuda', index: 2 }, script)).usable).toBe(true);
  });

  test('whose last words are passed on with the way out', async () => {
    const script = await probe(
      'console.error("warming up\\nlibcudnn.so.9: cannot open"); process.exit(1)',
    );
    const { usable, problem, detail } = await probeDevice(CUDA, script);
    expect(usable).toBe(false);
    expect(problem).toMatch(
      /^cuda:0 cannot be used \(the library libcudnn\.so\.9 is missing\): run the command "LoRA-FA: Set Up CUDA".*\.$/,
    );
    expect(detail).toBe('libcudnn.so.9: cannot open');
  });

  test('which may be killed by its libraries', async () => {
    const { usable, problem } = await probeDevice(
      { kind: 'webgpu', index: 0 },
      await probe('process.kill(process.pid, "SIGKILL")'),
    );
    expect(usable).toBe(false);
    expect(problem).toContain('webgpu cannot be used');
  });

  test('which is ended when it says nothing, and nothing else is blamed', async () => {
    const hangs = await probe('console.error("warming up"); setInterval(() => undefined, 1000);');
    const { usable, problem, detail } = await probeDevice(WEBGPU, hangs, 500);
    expect({ usable, detail }).toEqual({ usable: false, detail: 'no answer within 0.5 seconds' });
    expect(problem).toMatch(
      /^webgpu cannot be used \(trying it gave no answer within 0\.5 seconds\): try again .*\.$/,
    );
  });
});

describe('the choice', () => {
  test('auto takes CUDA where it works, and the CPU elsewhere', async () => {
    expect(await chooseDevice('auto', await probe(''))).toEqual(CUDA);
    expect(await chooseDevice('auto', await probe('process.exit(1)'))).toEqual(CPU);
  });

  test('auto takes WebGPU without CUDA, unless that is said to be slow', async () => {
    const noCuda = 'if (process.argv[2].startsWith("cuda")) process.exit(1);';
    expect(await chooseDevice('auto', await probe(noCuda))).toEqual(WEBGPU);
    const isSlow = await probe(`${noCuda} process.stdout.write("it is slow")`);
    expect(await chooseDevice('auto', isSlow)).toEqual(CPU);
    expect(await chooseDevice('webgpu', isSlow)).toEqual(WEBGPU);
    expect(await probeDevice(WEBGPU, isSlow)).toEqual({
      ...{ device: WEBGPU, usable: true },
      passedOver: 'it is slow',
    });
  });

  test('auto takes the first device that multiplies in a mode', async () => {
    const all = await probe('');
    expect(await autoDevice('float32', all)).toEqual(CUDA);
    expect(await autoDevice('bfloat16', all)).toEqual(CUDA);
    for (const mode of ['int8', 'bfloat16x2'] as const) {
      expect(await autoDevice(mode, all), mode).toEqual(CPU);
    }
    // As GPUs before Ampere: WebGPU has no bfloat16 either.
    const noTensorCores = await probe('if (process.argv[3] === "bfloat16") process.exit(1);');
    expect(await autoDevice('bfloat16', noTensorCores)).toEqual(CPU);
    expect(await autoDevice('auto', noTensorCores)).toEqual(CUDA);
  });

  test('of WebGPU knows the largest buffer that the device has', async () => {
    const script = await probe(
      `if (process.argv[2] === "webgpu") process.stderr.write("[E:onnxruntime] WebGPU device error(2): Buffer size (1125899906842624) exceeds the max buffer size limit (268435456).\\n");
      else process.exit(1);`,
    );
    const device = { ...WEBGPU, largestBuffer: 2 ** 28 };
    expect(await chooseDevice('webgpu', script)).toEqual(device);
    expect(await chooseDevice('auto', script)).toEqual(device);
  });

  test('of a device by name is that device or a refusal', async () => {
    expect(await chooseDevice('webgpu', await probe(''))).toEqual({ kind: 'webgpu', index: 0 });
    await expect(chooseDevice('cuda:1', await probe('process.exit(1)'))).rejects.toMatchObject({
      code: 'device.unavailable',
      message: expect.stringContaining('cuda:1 cannot be used'),
    });
  });

  test('of the CPU is tried at once', async () => {
    expect(await chooseDevice('cpu')).toEqual(CPU);
  });
});
