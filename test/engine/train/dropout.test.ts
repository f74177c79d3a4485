import { expect, test } from 'vitest';
import { ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

test('every step and every micro-batch has a mask of its own', async () => {
  const adapter = tiny().config({ training: { max_steps: 3, learning_rate: 0.1 } });
  await run(adapter);
  const row = JSON.stringify({ question: 'Name a colour.', answer: 'Blue' });
  const data = await tiny().file('same.jsonl', `${row}\n`.repeat(2));
  // Rate 0 and equal rows: only masks can make a difference.
  const losses = async (lora_dropout: number, gradient_accumulation_steps: number) =>
    ofType(
      await run(
        tiny().config({
          data: { dataset_name_or_path: data },
          lora: { init_adapter: adapter.training.output_dir, lora_dropout },
          training: {
            max_steps: 4,
            gradient_accumulation_steps,
            lr_scheduler_type: 'constant_with_warmup',
            warmup_steps: 4,
            learning_rate: 1e-30,
          },
        }),
      ),
      'step',
    ).map(({ loss }) => loss);
  expect(new Set(await losses(0, 1)).size).toBe(1);
  const single = await losses(0.5, 1);
  expect(new Set(single).size).toBe(4);
  // With one mask for both micro-batches, each step would have the loss of one of them.
  for (const loss of await losses(0.5, 2)) expect(single).not.toContain(loss);
});
