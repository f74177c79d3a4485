import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { bundledProgram } from '../support/bundled-program.ts';
import { relativeError } from '../support/golden.ts';
import { goldenModelFolder } from '../support/golden-model-folder.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';
import type { ComparedLogits } from './compared-logits.ts';
import type { ComparedSteps, StepsCase } from './compared-steps.ts';
import type { ResumedRuns } from './resumed-runs.ts';
import { noVulkan, softwareVulkan } from './software-vulkan.ts';

if (noVulkan !== undefined) console.warn(`Tests of WebGPU are skipped: ${noVulkan}.`);

/** A software device takes a minute to compile what a step is made of, and longer beside other tests. */
vi.setConfig({ testTimeout: 1_200_000 });

/** How far from the CPU's a number may be, relative to the largest. */
const TOLERANCE = 1e-4;

/** A model of each architecture, but for those whose parts others have. */
const MODELS = [
  ...['cohere2', 'gemma2', 'gemma3', 'glm4', 'gpt-neox', 'gpt2', 'granite', 'llama-dynamic'],
  ...['llama-yarn', 'ministral3', 'mixtral', 'olmo2', 'phi3-long', 'qwen2', 'qwen3-mixed'],
  'smollm2-bf16',
];

/** Ops for which there is no kernel: of a mixture of experts, and of the hash of dropout, which takes 64 bits. */
const ON_CPU = new Map([
  ['mixtral', /NonZero/],
  ['dropout', /Mod/],
]);

/** What a program prints, on a software device. */
async function printed(program: string, argument: string): Promise<string> {
  const entry = path.resolve(import.meta.dirname, program);
  const file = await bundledProgram(entry, ['koffi', 'onnxruntime-node']);
  const folder = path.dirname(file);
  await symlink(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  // A run tries its device first, which is a test of its own here.
  await writeFile(path.join(folder, 'probe-device.js'), '');
  const env = { ...process.env, ...softwareVulkan };
  return (await promisify(execFile)(process.execPath, [file, argument], { env })).stdout;
}

async function linesOf(program: string, question: unknown): Promise<readonly unknown[]> {
  const file = path.join(await tempFolder(), 'question.json');
  await writeFile(file, JSON.stringify(question));
  const lines = (await printed(program, file)).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line));
}

async function tinyModel(): Promise<string> {
  const folder = path.join(await tempFolder(), 'tiny');
  await writeTinyModel(folder);
  return folder;
}

describe.skipIf(noVulkan !== undefined)(`WebGPU (${noVulkan ?? 'a software device'})`, () => {
  test('computes losses and gradients as the CPU does, and nothing of a dense model on it', async () => {
    const model = await tinyModel();
    const golden = async (name: string): Promise<StepsCase> => {
      const folder = path.join(await tempFolder(), name);
      await goldenModelFolder(name, folder);
      return { name, model: folder, steps: 1 };
    };
    const cases: readonly StepsCase[] = [
      { name: 'twenty steps', model, steps: 20 },
      { name: 'packed rows', model, steps: 1, data: { packing: true } },
      { name: 'dropout', model, steps: 1, lora: { lora_dropout: 0.3 } },
      ...(await Promise.all(MODELS.map(golden))),
    ];
    const compared = (await linesOf('compared-steps.ts', cases)) as readonly ComparedSteps[];
    expect(compared.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    for (const { name, loss, gradient, onCpu } of compared) {
      expect(loss, name).toBeLessThan(TOLERANCE);
      expect(gradient.error, `${name}: ${gradient.name}`).toBeLessThan(TOLERANCE);
      const op = ON_CPU.get(name);
      expect(onCpu, name).toEqual(op === undefined ? [] : [expect.stringMatching(op)]);
    }
    const { losses } = compared[0]!;
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  test('answers as the CPU does, token by token', async () => {
    const [compared] = (await linesOf('compared-logits.ts', [
      await tinyModel(),
    ])) as readonly ComparedLogits[];
    expect(compared!.errors).toHaveLength(8);
    for (const error of compared!.errors) expect(error).toBeLessThan(TOLERANCE);
  });

  test('goes on with what the CPU began, and the CPU with what it began', async () => {
    const runs = JSON.parse(await printed('resumed-runs.ts', await tempFolder())) as ResumedRuns;
    const { onCpu, webgpuThenCpu, cpuThenWebgpu } = runs;
    expect(onCpu).toHaveLength(4);
    for (const losses of [webgpuThenCpu, cpuThenWebgpu]) {
      expect(relativeError(losses, onCpu)).toBeLessThan(TOLERANCE);
    }
  });

  test('is tried op by op, and said to be slower than the CPU', async () => {
    const probe = '../../engine/runtime/probe-device.ts';
    expect(await printed(probe, 'webgpu')).toMatch(
      /^it multiplies at [\d.]+ GFLOP\/s, and the CPU at [\d.]+$/,
    );
  });
});
