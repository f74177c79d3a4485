import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { CPU } from '../../../engine/runtime/device.ts';
import { requireInt8 } from '../../../engine/runtime/int8-self-test.ts';
import { evaluate } from '../../../engine/train/evaluate.ts';
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
      engine: { compute: 'int8x2' },
      training: { max_steps: 4, save_steps: 2, save_total_limit: 5 },
    });
    await run(whole);
    const at = (compute: 'int8x2' | 'int8x3') =>
      tiny().config({
        engine: { compute },
        training: {
          max_steps: 4,
          save_steps: 2,
          resume_from_checkpoint: path.join(whole.training.output_dir, 'checkpoint-2'),
        },
      });
    const again = at('int8x2');
    await run(again);
    const file = 'adapter_model.safetensors';
    expect(await bytesOf(again, file)).toEqual(await bytesOf(whole, file));
    await expect(run(at('int8x3'))).rejects.toMatchObject({
      code: 'checkpoint.mismatch',
      message: expect.stringContaining('engine.compute was "int8x2" and is now "int8x3"'),
    });
  });
});

test('a graphics card is refused before anything is written', async () => {
  await expect(requireInt8({ kind: 'cuda', index: 1 })).rejects.toMatchObject({
    code: 'device.unavailable',
    message: expect.stringContaining('cuda:1'),
  });
  await requireInt8(CPU);
});
