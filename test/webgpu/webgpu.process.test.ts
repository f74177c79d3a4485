import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { bufferLimitIn } from '../../engine/runtime/largest-buffer.ts';
import { bundledProgram } from '../support/bundled-program.ts';
import { relativeError } from '../support/golden.ts';
import { goldenModelFolder } from '../support/golden-model-folder.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';
import type { AnswersCase, ComparedLogits } from './compared-logits.ts';
import type { ComparedSteps, StepsCase } from './compared-steps.ts';
import type { RefusedTensors } from './device-limits.ts';
import type { ResumedRuns } from './resumed-runs.ts';
import { noVulkan, softwareVulkan } from './software-vulkan.ts';

if (noVulkan !== undefined) console.warn(`Tests of WebGPU are skipped: ${noVulkan}.`);

/** A software device takes a minute to compile what a step is made of, and longer beside other tests. */
vi.setConfig({ testTimeout: 1_200_000 });

/** How far from the CPU's a number may be, relative to the largest. */
const TOLERANCE = 1e-4;

/** The same of what is trained: Adam makes as large a step of a small gradient as of a large one. */
const WEIGHT_TOLERANCE = 1e-3;

/** A model of each architecture without experts, but for those whose parts others have. */
const MODELS = [
  ...['cohere2', 'gemma2', 'gemma3', 'glm4', 'gpt-neox', 'gpt2', 'granite', 'llama-dynamic'],
  ...['llama-yarn', 'ministral3', 'olmo2', 'phi3-long', 'qwen2', 'qwen3-mixed'],
  'smollm2-bf16',
];

/** Ops for which there is no kernel: of the hash of dropout, which takes 64 bits. */
const ON_CPU = new Map([['dropout', /Mod/]]);

/** What a program prints, on a software device. */
async function printed(program: string, argument: string): Promise<string> {
  return (await outputsOf(program, argument)).stdout;
}

async function outputsOf(program: string, argument: string) {
  const entry = path.resolve(import.meta.dirname, program);
  const file = await bundledProgram(entry, ['koffi', 'onnxruntime-node']);
  const folder = path.dirname(file);
  await symlink(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  // A run tries its device first, which is a test of its own here.
  await writeFile(path.join(folder, 'probe-device.js'), '');
  const env = { ...process.env, ...softwareVulkan, LORAFA_CACHE_DIR: path.join(folder, 'cache') };
  return promisify(execFile)(process.execPath, [file, argument], { env });
}

async function linesOf(program: string, question: unknown): Promise<readonly unknown[]> {
  const file = path.join(await tempFolder(), 'question.json');
  await writeFile(file, JSON.stringify(question));
  const lines = (await printed(program, file)).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line));
}

async function goldenModel(name: string): Promise<string> {
  const folder = path.join(await tempFolder(), name);
  await goldenModelFolder(name, folder);
  return folder;
}

async function tinyModel(): Promise<string> {
  const folder = path.join(await tempFolder(), 'tiny');
  await writeTinyModel(folder);
  return folder;
}

describe.skipIf(noVulkan !== undefined)(`WebGPU (${noVulkan ?? 'a software device'})`, () => {
  test('computes losses and gradients as the CPU does, and nothing of a dense model on it', async () => {
    const model = await tinyModel();
    const nf4 = { quantization: 'nf4' } as const;
    const golden = async (name: string): Promise<StepsCase> => ({
      name,
      model: await goldenModel(name),
      steps: 1,
    });
    const cases: readonly StepsCase[] = [
      { name: 'twenty steps', model, steps: 20 },
      { name: 'packed rows', model, steps: 1, data: { packing: true } },
      { name: 'dropout', model, steps: 1, lora: { lora_dropout: 0.3 } },
      { name: 'NF4', model, steps: 3, quantized: nf4 },
      { name: 'NF4 twice', model, steps: 1, quantized: { ...nf4, use_double_quant: true } },
      ...(await Promise.all(MODELS.map(golden))),
    ];
    const compared = (await linesOf('compared-steps.ts', cases)) as readonly ComparedSteps[];
    expect(compared.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    for (const { name, loss, gradient, weight, onCpu } of compared) {
      expect(loss, name).toBeLessThan(TOLERANCE);
      expect(gradient.error, `${name}: ${gradient.name}`).toBeLessThan(TOLERANCE);
      expect(weight.error, `${name}: ${weight.name}`).toBeLessThan(WEIGHT_TOLERANCE);
      const op = ON_CPU.get(name);
      expect(onCpu, name).toEqual(op === undefined ? [] : [expect.stringMatching(op)]);
    }
    const { losses } = compared[0]!;
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  test('answers as the CPU does, token by token, and nothing of a dense model on it', async () => {
    const golden = async (name: string): Promise<AnswersCase> => ({
      name,
      model: await goldenModel(name),
    });
    const model = await tinyModel();
    const cases: readonly AnswersCase[] = [
      { name: 'a long text', model },
      { name: 'NF4', model, quantized: { quantization: 'nf4' } },
      ...(await Promise.all(MODELS.map(golden))),
    ];
    const compared = (await linesOf('compared-logits.ts', cases)) as readonly ComparedLogits[];
    expect(compared.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    for (const { name, errors, tokens, webgpuTokens, onCpu } of compared) {
      expect(errors, name).toHaveLength(8);
      for (const error of errors) expect(error, name).toBeLessThan(TOLERANCE);
      expect(webgpuTokens, name).toEqual(tokens);
      expect(onCpu, name).toEqual([]);
    }
  });

  test('goes on with what the CPU began, and the CPU with what it began', async () => {
    const runs = JSON.parse(await printed('resumed-runs.ts', await tempFolder())) as ResumedRuns;
    const { onCpu, webgpuThenCpu, cpuThenWebgpu } = runs;
    expect(onCpu).toHaveLength(4);
    for (const losses of [webgpuThenCpu, cpuThenWebgpu]) {
      expect(relativeError(losses, onCpu)).toBeLessThan(TOLERANCE);
    }
  });

  test('refuses what it has no buffer or no kernel for, before a step is computed', async () => {
    const folder = await tempFolder();
    await goldenModelFolder('mixtral', path.join(folder, 'mixtral'));
    const { stdout, stderr } = await outputsOf('device-limits.ts', folder);
    // What WebGPU guarantees.
    expect(bufferLimitIn(stderr)).toBeGreaterThanOrEqual(2 ** 28);
    const refused = JSON.parse(stdout) as RefusedTensors;
    expect(refused.tensor).toBe(
      'webgpu has no room for a tensor of the shape [1048576, 1048576]; try smaller batches or shorter rows, or another engine.device.',
    );
    expect(refused.run).toMatch(
      /^The tensor model\.embed_tokens\.weight of the shape \[260, 32\] takes 33 KiB, and webgpu has no buffer of more than 16 KiB; /,
    );
    expect(refused.experts).toMatch(/^Mixtures of experts are not computed on webgpu, /);
    expect(refused.events).not.toContain('started');
  });

  test('is tried op by op, and said to be slower than the CPU', async () => {
    const probe = '../../engine/runtime/probe-device.ts';
    expect(await printed(probe, 'webgpu')).toMatch(
      /^it multiplies at [\d.]+ GFLOP\/s, and the CPU at [\d.]+$/,
    );
  });
});
