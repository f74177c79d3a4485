import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Batch } from '../../../engine/data/batches.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { requireInt8 } from '../../../engine/runtime/int8-self-test.ts';
import { type ComputeQuestion, chooseCompute } from '../../../engine/train/compute-choice.ts';
import { evaluate } from '../../../engine/train/evaluate.ts';
import { readTrainerState, writeTrainerState } from '../../../engine/train/trainer-state.ts';
import {
  COMPUTE_MODES,
  type ComputeMode,
  isBfloat16Mode,
} from '../../../engine/weights/compute-mode.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { bytesOf, ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

describe('a run in eight bits', () => {
  test('learns as in float32, its evaluations and samples included', async () => {
    const changes = {
      data: { eval_split: 2 },
      training: { max_steps: 6, sample_prompts: ['Hi'], sample_steps: 6 },
    };
    const exact = await run(tiny().config(changes));
    const config = tiny().config({ ...changes, engine: { compute: 'int8' } });
    const quick = await run(config);
    const losses = (finished: typeof exact) => [
      ...ofType(finished, 'step').map(({ loss }) => loss),
      ...ofType(finished, 'eval').map(({ eval_loss }) => eval_loss),
    ];
    losses(quick).forEach((loss, i) => {
      expect(Math.abs(loss / losses(exact)[i]! - 1)).toBeLessThan(0.02);
    });
    expect(losses(quick)).not.toEqual(losses(exact));
    expect(ofType(quick, 'sample')).toHaveLength(1);
    // What is evaluated afterwards is what the run evaluated.
    const { eval_loss } = await evaluate(config, {
      adapterDir: config.training.output_dir,
      onProgress: () => undefined,
    });
    expect(eval_loss).toBeCloseTo(ofType(quick, 'eval').at(-1)!.eval_loss, 6);
  });

  test('goes on from a checkpoint in the same mode as if it had never stopped', async () => {
    const whole = tiny().config({
      engine: { compute: 'int8' },
      training: { max_steps: 4, save_steps: 2, save_total_limit: 5 },
    });
    await run(whole);
    const at = (compute: 'int8' | 'float32') =>
      tiny().config({
        engine: { compute },
        training: {
          max_steps: 4,
          save_steps: 2,
          resume_from_checkpoint: path.join(whole.training.output_dir, 'checkpoint-2'),
        },
      });
    const again = at('int8');
    await run(again);
    const file = 'adapter_model.safetensors';
    expect(await bytesOf(again, file)).toEqual(await bytesOf(whole, file));
    await expect(run(at('float32'))).rejects.toMatchObject({
      code: 'checkpoint.mismatch',
      message: expect.stringContaining('engine.compute was "int8" and is now "float32"'),
    });
  });
});

describe.runIf(hasBfloat16)('a run in bfloat16', () => {
  const losses = (finished: Awaited<ReturnType<typeof run>>) => [
    ...ofType(finished, 'step').map(({ loss }) => loss),
    ...ofType(finished, 'eval').map(({ eval_loss }) => eval_loss),
  ];

  // What was measured over twenty steps, and about twice that; the weights, of float32, are rounded.
  test.each([
    ['bfloat16', 4e-4],
    ['bfloat16x2', 1.2e-4],
  ] as const)('learns as in float32 with %s', async (compute, bound) => {
    const changes = {
      data: { eval_split: 2 },
      training: { max_steps: 20, sample_prompts: ['Hi'], sample_steps: 20 },
    };
    const exact = losses(await run(tiny().config(changes)));
    const quick = await run(tiny().config({ ...changes, engine: { compute } }));
    const far = losses(quick).map((loss, i) => Math.abs(loss / exact[i]! - 1));
    expect(Math.max(...far)).toBeLessThan(bound);
    expect(Math.max(...far)).toBeGreaterThan(0);
    expect(ofType(quick, 'sample')).toHaveLength(1);
  });

  test('goes on from a checkpoint as if it had never stopped, in no other mode', async () => {
    const training = { max_steps: 4, save_steps: 2, save_total_limit: 5 };
    const whole = tiny().config({ engine: { compute: 'bfloat16' }, training });
    await run(whole);
    const resume_from_checkpoint = path.join(whole.training.output_dir, 'checkpoint-2');
    const at = (compute: ComputeMode) =>
      tiny().config({ engine: { compute }, training: { ...training, resume_from_checkpoint } });
    const again = at('bfloat16');
    await run(again);
    const file = 'adapter_model.safetensors';
    expect(await bytesOf(again, file)).toEqual(await bytesOf(whole, file));
    await expect(run(at('float32'))).rejects.toMatchObject({
      code: 'checkpoint.mismatch',
      message: expect.stringContaining('engine.compute was "bfloat16" and is now "float32"'),
    });
  });
});

/** A folder, opened as `auto` opens it, and gradients that are off and take their time by mode. */
async function choose(
  modes: Readonly<Record<ComputeMode, { readonly error: number; readonly ms: number }>>,
  change: Partial<ComputeQuestion> = {},
) {
  const config = tiny().config({ engine: { compute: 'auto' } });
  const base = await openBaseModel(tiny().model);
  const released: ComputeMode[] = [];
  const runs: ComputeMode[] = [];
  const choice = await chooseCompute(config, base, {
    device: CPU,
    decided: undefined,
    batch: { numSupervisedTokens: 1 } as Batch,
    gradients: new Map([
      ['exact', { shape: [3] }],
      ['off', { shape: [2] }],
    ]),
    open: ({ weights: { compute } }) => ({
      run: async (_batch, _scale, _seed, gradients) => {
        runs.push(compute);
        gradients.get('off')!.write(Float32Array.of(3, 4 * (1 + (modes[compute].error * 5) / 4)));
        vi.advanceTimersByTime(modes[compute].ms);
        return 0;
      },
      release: async () => void released.push(compute),
    }),
    onEvent: () => undefined,
    onFallback: () => undefined,
    ...change,
  });
  return { choice, compute: choice.model.weights.compute, released, runs };
}

describe('auto', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const modes = {
    float32: { error: 0, ms: 60 },
    int8: { error: 5e-4, ms: 15 },
    bfloat16: { error: 0.02, ms: 1 },
    bfloat16x2: { error: 1e-5, ms: 20 },
  };
  /** The modes of this machine. */
  const here = COMPUTE_MODES.filter((mode) => hasBfloat16 || !isBfloat16Mode(mode));

  test('takes the fastest mode whose worst gradient is within the bound', async () => {
    const { choice, compute, released, runs } = await choose(modes);
    expect(compute).toBe('int8');
    expect(choice.trials.map(({ mode }) => mode)).toEqual(here);
    for (const { mode, error, seconds } of choice.trials) {
      expect(error).toBeCloseTo(modes[mode].error, 6);
      if (mode === 'bfloat16') expect(seconds).toBeUndefined();
      else expect(seconds).toBeCloseTo(modes[mode].ms / 1000, 9);
    }
    // One that is not exact enough is not timed, and each is released before the next is opened.
    expect(runs.filter((mode) => mode === 'bfloat16')).toHaveLength(hasBfloat16 ? 1 : 0);
    expect(released).toEqual(here);
  });

  test('keeps float32 where nothing is faster, or exact, or a number', async () => {
    const others = (mode: (typeof modes)[ComputeMode]) => ({
      ...modes,
      int8: mode,
      bfloat16x2: mode,
    });
    const slow = { ...modes.int8, ms: 200 };
    expect((await choose(others(slow))).compute).toBe('float32');
    const wrong = { error: 0.0011, ms: 1 };
    expect((await choose(others(wrong))).compute).toBe('float32');
    const broken = { error: Number.NaN, ms: 1 };
    expect((await choose(others(broken))).compute).toBe('float32');
  });

  test('measures nothing on a graphics card, or where an earlier part of the run did', async () => {
    const onCard = await choose(modes, { device: { kind: 'cuda', index: 0 } });
    expect([onCard.compute, onCard.runs]).toEqual(['float32', []]);
    for (const decided of here) {
      const again = await choose(modes, { decided });
      expect([again.compute, again.runs]).toEqual([decided, []]);
    }
    // A run that would change its mode on another device is not the same run.
    await expect(
      choose(modes, { decided: 'int8', device: { kind: 'cuda', index: 0 } }),
    ).rejects.toMatchObject({ code: 'device.unavailable' });
  });

  test('is told at the start of a run, kept in its checkpoints and not asked again', async () => {
    const changes = { engine: { compute: 'auto' }, training: { save_steps: 1 } } as const;
    const config = tiny().config(changes);
    const { run: facts } = ofType(await run(config), 'started')[0]!;
    expect(facts.computeTrials!.map(({ mode }) => mode)).toEqual(here);
    const checkpoint = path.join(config.training.output_dir, 'checkpoint-1');
    const { state, files } = await readTrainerState(checkpoint);
    expect(state.compute).toBe(facts.compute);

    // Whatever is in the checkpoint is what the run goes on with.
    await writeTrainerState(checkpoint, { ...state, compute: 'int8' }, files);
    const training = { save_steps: 1, resume_from_checkpoint: checkpoint };
    const resumed = await run(tiny().config({ ...changes, training }));
    const { run: resumedFacts } = ofType(resumed, 'started')[0]!;
    expect(resumedFacts).toMatchObject({ compute: 'int8', resumedAt: 1 });
    expect(resumedFacts).not.toHaveProperty('computeTrials');
  });
});

test('a graphics card is refused before anything is written', async () => {
  await expect(requireInt8({ kind: 'cuda', index: 1 })).rejects.toMatchObject({
    code: 'device.unavailable',
    message: expect.stringContaining('cuda:1'),
  });
  await requireInt8(CPU);
});
