import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { isRunning } from '../../../engine/process-mark.ts';
import { followRun } from '../../../engine/train/follow-run.ts';
import { freePort } from '../../support/free-port.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { ownProcess } from '../../support/own-process.ts';
import { askPython, lacks, REFERENCE_PYTHON } from '../../support/reference-python.ts';
import { expectAdapter, savedAdapter } from './saved-adapter.ts';
import { stopAfter } from './stop-after.ts';
import { type ConfigChanges, type FinishedRun, ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

/** Loading PyTorch, transformers and PEFT takes seconds, and more on a busy machine. */
const PATIENCE = { timeout: 900_000 };

/** Three processes' rows of these ranks are unequal, or none; the norm of gradients is more than is let through. */
const THOROUGH: ConfigChanges = {
  data: { eval_split: 2, pad_to_multiple_of: 1 },
  lora: { r: 3, use_rslora: true, rank_pattern: { down_proj: 1 } },
  training: {
    max_steps: 20,
    gradient_accumulation_steps: 3,
    max_grad_norm: 0.5,
    weight_decay: 0.1,
    eval_steps: 5,
  },
};

const SHORT: ConfigChanges = {
  ...THOROUGH,
  training: { ...THOROUGH.training, max_steps: 6, eval_steps: 3 },
};

const FSDP = { distributed_type: 'fsdp' } as const;

function onAccelerate(
  changes: ConfigChanges,
  accelerate: ConfigChanges['accelerate'] = {},
): ResolvedConfig {
  return tiny().config({
    ...changes,
    engine: { backend: 'accelerate', ...changes.engine },
    accelerate: { python: REFERENCE_PYTHON, num_processes: 2, ...accelerate },
  });
}

function numbersOf(finished: Pick<FinishedRun, 'events'>): number[] {
  return [
    ...ofType(finished, 'step').flatMap(({ loss, grad_norm }) => [loss, grad_norm]),
    ...ofType(finished, 'eval').map(({ eval_loss }) => eval_loss),
  ];
}

function expectClose(actual: readonly number[], expected: readonly number[], tolerance = 1e-5) {
  expect(actual).toHaveLength(expected.length);
  for (const [i, number] of actual.entries()) {
    expect(Math.abs(number - expected[i]!), `number ${i}`).toBeLessThan(tolerance);
  }
}

/** Makes sure that a run learns with a shared model what it learns where each process has all of it. */
async function expectSame(
  changes: ConfigChanges,
  accelerate: ConfigChanges['accelerate'] = {},
): Promise<void> {
  const whole = onAccelerate(changes, accelerate);
  const shared = onAccelerate(changes, { ...accelerate, ...FSDP });
  const expected = await run(whole);
  expectClose(numbersOf(await run(shared)), numbersOf(expected));
  const adapter = await savedAdapter(whole.training.output_dir);
  await expectAdapter(shared.training.output_dir, adapter, 1e-5);
}

describe.skipIf(lacks('peft'))('a run whose processes share the model', () => {
  test('learns what it learns where each has all of it', PATIENCE, () => expectSame(THOROUGH));

  test('learns by LoRA, too, with rows for some of three processes alone', PATIENCE, () =>
    expectSame({ ...SHORT, training: { ...SHORT.training, method: 'lora' } }, { num_processes: 3 }),
  );

  test('learns in bfloat16, too', PATIENCE, () => expectSame(SHORT, { mixed_precision: 'bf16' }));

  // Embeddings that are the output layer as well, and scaled; layers that are no `Linear`, under names without a prefix.
  test.each(['gemma3', 'gpt2'])('of %s learns the same', PATIENCE, async (name) => {
    const model = tiny().fresh(name);
    await goldenModelFolder(name, model);
    // Of characters that every vocabulary of the golden models has.
    const row = JSON.stringify({ prompt: '!"#$%', completion: '%%' });
    await expectSame({
      model: { base_model_name_or_path: model },
      data: {
        dataset_name_or_path: await tiny().file('narrow.jsonl', `${row}\n${row}\n`),
        max_length: 32,
      },
      lora: { target_modules: 'all-linear' },
      training: { max_steps: 3, gradient_accumulation_steps: 2, gradient_checkpointing: 'layer' },
    });
  });

  test('goes on where another was stopped, and another where it was', PATIENCE, async () => {
    const whole = onAccelerate(SHORT);
    const expected = await run(whole);
    const adapter = await savedAdapter(whole.training.output_dir);
    const here = (changes: ConfigChanges) => tiny().config(changes);
    const shared = (changes: ConfigChanges) => onAccelerate(changes, FSDP);
    for (const [first, then, tolerance] of [
      [shared, onAccelerate, 1e-5],
      [onAccelerate, shared, 1e-5],
      // Our own engine is as near as it is to PyTorch otherwise.
      [here, shared, 1e-3],
      [shared, here, 1e-3],
    ] as const) {
      const begun = first(SHORT);
      const before = await stopAfter(2, begun);
      const { output_dir } = begun.training;
      const training = { ...SHORT.training, output_dir, resume_from_checkpoint: 'latest' };
      const after = await run(then({ ...SHORT, training }));
      expect(before.result.steps).toBe(2);
      const events = [...before.events, ...after.events];
      expectClose(numbersOf({ events }), numbersOf(expected), tolerance);
      await expectAdapter(output_dir, adapter, tolerance);
    }
  });

  test('is that on two machines', PATIENCE, async () => {
    const alone = onAccelerate(SHORT);
    const expected = await run(alone);
    const meeting = {
      ...{ ...FSDP, num_machines: 2, main_process_ip: '127.0.0.1' },
      main_process_port: await freePort(),
    };
    const [finished] = await Promise.all([
      run(onAccelerate(SHORT, meeting)),
      followRun(onAccelerate(SHORT, { ...meeting, machine_rank: 1 }), {
        onProgress: () => undefined,
      }),
    ]);
    expectClose(numbersOf(finished), numbersOf(expected));
    expect(ofType(finished, 'started')[0]!.run.device).toBe('2 × cpu (Accelerate, FSDP)');
  });

  test('is refused where another machine would have all of the model', PATIENCE, async () => {
    const meeting = {
      ...{ num_machines: 2, main_process_ip: '127.0.0.1' },
      main_process_port: await freePort(),
    };
    const both = await Promise.allSettled([
      run(onAccelerate(SHORT, { ...meeting, ...FSDP })),
      followRun(onAccelerate(SHORT, { ...meeting, machine_rank: 1 }), {
        onProgress: () => undefined,
      }),
    ]);
    for (const each of both) {
      expect(each).toMatchObject({ reason: { code: 'config.contradiction' } });
    }
  });

  test.skipIf(process.platform !== 'linux')(
    'ends by name when a process is killed, with nothing left, and goes on',
    PATIENCE,
    async () => {
      const training = { ...SHORT.training, max_steps: 1_000_000, save_steps: 2 };
      const config = onAccelerate({ ...SHORT, training }, FSDP);
      let pids: number[] = [];
      const running = run(config, {
        onEvent: (event) => {
          if (event.type !== 'step' || event.step !== 3) return;
          void Promise.all([ownProcess('"rank":0'), ownProcess('"rank":1')]).then((found) => {
            pids = found;
            process.kill(found[1]!, 'SIGKILL');
          });
        },
      });
      await expect(running).rejects.toMatchObject({
        code: 'training.rank_died',
        message: expect.stringMatching(/rank 1 of 2 .* by SIGKILL/),
      });
      expect(pids).toHaveLength(2);
      for (const pid of pids) expect(await isRunning(pid)).toBe(false);
      const { output_dir } = config.training;
      const again = { ...training, output_dir, resume_from_checkpoint: 'latest' };
      const { events } = await stopAfter(4, onAccelerate({ ...SHORT, training: again }, FSDP));
      expect(ofType({ events }, 'started')[0]!.run.resumedAt).toBeGreaterThanOrEqual(2);
    },
  );

  test.skipIf(process.platform !== 'linux')(
    'never has all of it in one of them, be it while it is read',
    PATIENCE,
    async () => {
      interface Found {
        /** Bytes of memory at the peak, beyond what was there before the model was. */
        readonly peak: number;
        readonly numbers: readonly number[];
      }
      const program = path.resolve(
        import.meta.dirname,
        '../../../engine/accelerate/accelerate-program',
      );
      const { size, ddp, fsdp } = await askPython<{
        readonly size: number;
        readonly ddp: readonly Found[];
        readonly fsdp: readonly Found[];
      }>('check_sharding.py', [program], {});
      for (const { peak, numbers } of ddp) {
        expect(peak).toBeGreaterThan(size);
        expectClose(numbers, ddp[0]!.numbers);
      }
      for (const { peak, numbers } of fsdp) {
        expect(peak).toBeLessThan(0.9 * size);
        expectClose(numbers, ddp[0]!.numbers);
      }
    },
  );
});
