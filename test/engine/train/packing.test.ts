import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Batch, makeBatch } from '../../../engine/data/batches.ts';
import { packExamples } from '../../../engine/data/packing.ts';
import type { TokenizedExample } from '../../../engine/data/tokenized-example.ts';
import { Random } from '../../../engine/random.ts';
import { TrainControl } from '../../../engine/train/control.ts';
import { goldenPath, relativeError } from '../../support/golden.ts';
import { accumulated } from './golden-case.ts';
import {
  bytesOf,
  type ConfigChanges,
  comparable,
  type FinishedRun,
  ofType,
  run,
} from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const PAD = 0;

/** An example of random tokens; those behind a prompt of a third are learned. */
function example(length: number, seed: number, learned = true): TokenizedExample {
  const random = new Random(seed);
  return {
    inputIds: Int32Array.from({ length }, () => random.below(96)),
    supervised: Uint8Array.from({ length }, (_, i) => Number(learned && i > length / 3)),
    truncated: false,
    file: 'rows.jsonl',
    line: seed,
  };
}

describe('packed rows give the losses and gradients of their examples alone', () => {
  // Among them a window of 8 tokens (Mistral) and normed queries and keys (Qwen3); rows are longer
  // than a block of attention (128).
  // But for LongRoPE and dynamic NTK, which turn all of a batch as its longest text, as in transformers.
  const byLongest = ['family-phi3', 'family-llama-dynamic'];
  const cases = readdirSync(goldenPath('training')).filter((name) => !byLongest.includes(name));
  test.each(cases)('%s', async (name) => {
    const examples = [60, 9, 31, 130, 5, 44, 17, 2, 78, 25].map((length, seed) =>
      example(length, seed),
    );
    const lengths = examples.map(({ inputIds }) => inputIds.length);
    const rows = packExamples(lengths.keys(), lengths, 210);
    expect(rows.map((row) => row.length)).toEqual([3, 7]);
    const packed = makeBatch(
      rows.map((row) => row.map((index) => examples[index]!)),
      210,
      PAD,
    );
    const alone = examples.map((each) => makeBatch([[each]], each.inputIds.length, PAD));
    const together = await accumulated(name, [packed], { packing: true });
    const expected = await accumulated(name, alone, { packing: false });
    expect(Math.abs(together.loss - expected.loss)).toBeLessThan(1e-5);
    for (const [tensor, gradient] of together.gradients) {
      expect(relativeError(gradient, expected.gradients.get(tensor)!), tensor).toBeLessThan(1e-5);
    }
  });
});

describe('no example sees another', () => {
  /** A row of three examples of which the second is learned. */
  const row = (before: number, after: number): Batch =>
    makeBatch([[example(140, before, false), example(90, 7), example(20, after, false)]], 256, PAD);

  test.each(['lorafa-selected-layers', 'lora-linear', 'full-tied'])(
    '%s: whatever its neighbours are, no bit of loss and gradients changes',
    async (name) => {
      const [one, other] = await Promise.all(
        [row(1, 2), row(3, 4)].map((batch) => accumulated(name, [batch], { packing: true })),
      );
      expect(other).toEqual(one);
    },
  );

  test('which is the doing of packing', async () => {
    const [one, other] = await Promise.all(
      [row(1, 2), row(3, 4)].map((batch) =>
        accumulated('lora-linear', [batch], { packing: false }),
      ),
    );
    expect(other!.loss).not.toBeCloseTo(one!.loss, 3);
  });
});

test('what is recomputed changes no bit', async () => {
  const batch = makeBatch([[example(50, 1), example(90, 2)], [example(120, 3)]], 160, PAD);
  const [none, ...others] = await Promise.all(
    (['none', 'attention', 'layer'] as const).map((recompute) =>
      accumulated('lorafa-all-linear', [batch], { packing: true, recompute }),
    ),
  );
  expect(others).toEqual([none, none]);
});

describe('a packed run', () => {
  const tiny = useTinyRuns();

  test('learns what an unpacked one does in a step over the same examples', async () => {
    const [unpacked, packed] = await Promise.all(
      [false, true].map((packing) =>
        run(
          tiny().config({
            data: { packing, max_length: 128, eval_dataset_name_or_path: tiny().data },
            training: { max_steps: 3, per_device_train_batch_size: 7 },
          }),
        ),
      ),
    );
    const figures = (finished: FinishedRun): number[] => [
      ...ofType(finished, 'step').flatMap(({ loss, grad_norm }) => [loss, grad_norm]),
      ...ofType(finished, 'eval').map(({ eval_loss }) => eval_loss),
    ];
    expect(figures(packed!)).toHaveLength(3 * 2 + 4);
    expect(relativeError(figures(packed!), figures(unpacked!))).toBeLessThan(1e-5);
    const tokens = (finished: FinishedRun) => ofType(finished, 'step').map((e) => e.num_tokens);
    expect(tokens(packed!)).toEqual(tokens(unpacked!));
  });

  test('has fewer steps, and says how full its rows are', async () => {
    const [unpacked, packed] = await Promise.all(
      [false, true].map(async (packing) => {
        const config = tiny().config({
          data: { packing, max_length: 128 },
          training: { max_steps: undefined, num_train_epochs: 1 },
        });
        return ofType(await run(config), 'started')[0]!.run;
      }),
    );
    expect(unpacked!.steps).toBe(7);
    expect(packed!.steps).toBeLessThan(5);
    expect(packed!.padding).toEqual({ ...unpacked!.padding, packing: true });
    expect(packed!.padding.packed.rows).toBe(packed!.stepsPerEpoch);
    expect(packed!.padding.unpacked.rows).toBe(7);
    expect(packed!.dataset).toEqual(unpacked!.dataset);
  });

  test('that was stopped goes on as if it never had been', async () => {
    const changes: ConfigChanges = {
      data: { packing: true, max_length: 96 },
      lora: { lora_dropout: 0.1 },
      training: {
        max_steps: 9,
        gradient_accumulation_steps: 2,
        lr_scheduler_type: 'linear',
        warmup_ratio: 0.2,
      },
    };
    const [whole, parts] = [tiny().config(changes), tiny().config(changes)];
    const expected = await run(whole);
    const control = new TrainControl();
    await run(parts, {
      control,
      onEvent: (event) => {
        if (event.type === 'step' && event.step === 4) control.stop();
      },
    });
    const { output_dir } = parts.training;
    const again = { ...changes.training, output_dir, resume_from_checkpoint: 'latest' };
    const resumed = await run(tiny().config({ ...changes, training: again }));
    expect(ofType(resumed, 'started')[0]!.run.resumedAt).toBe(4);
    const later = (finished: FinishedRun): unknown[] =>
      comparable(finished).filter((event) => (event as { step?: number }).step! > 4);
    expect(later(resumed)).toEqual(later(expected));
    expect(await bytesOf(parts, 'adapter_model.safetensors')).toEqual(
      await bytesOf(whole, 'adapter_model.safetensors'),
    );
  });

  test('is not continued unpacked', async () => {
    const config = tiny().config({ data: { packing: true }, training: { save_steps: 1 } });
    await run(config);
    const { output_dir } = config.training;
    const unpacked = tiny().config({
      training: { output_dir, resume_from_checkpoint: 'latest' },
    });
    await expect(run(unpacked)).rejects.toMatchObject({
      code: 'checkpoint.mismatch',
      message: expect.stringContaining('data.packing was true and is now false'),
    });
  });
});
