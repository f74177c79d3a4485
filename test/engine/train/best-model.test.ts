import { rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { stopAfter } from './stop-after.ts';
import { bytesOf, type ConfigChanges, comparable, ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

/** A rate so high that evaluations become better and worse: at step 3 worse, at 5 best with `lorafa`. */
function unsteady(training: ConfigChanges['training'] = {}): ConfigChanges {
  return {
    data: { eval_split: 3 },
    training: { max_steps: 6, eval_steps: 1, save_total_limit: 1, learning_rate: 3, ...training },
  };
}

async function checkpointsOf({ training }: ResolvedConfig): Promise<string[]> {
  const names = await readdir(training.output_dir);
  return names.filter((name) => name.startsWith('checkpoint-')).toSorted();
}

describe('load_best_model_at_end', () => {
  test.each([
    ['lorafa', 3, 5],
    ['lora', 0.3, 5],
    ['full', 0.1, 2],
  ] as const)(
    '%s: the result is the best checkpoint, which is kept',
    async (method, rate, best) => {
      const file = method === 'full' ? 'model.safetensors' : 'adapter_model.safetensors';
      const changes = { method, learning_rate: rate };
      const config = tiny().config(unsteady({ ...changes, load_best_model_at_end: true }));
      const finished = await run(config);
      const evaluations = ofType(finished, 'eval').filter(({ step }) => step > 0);
      const lowest = evaluations.toSorted((a, b) => a.eval_loss - b.eval_loss)[0]!;
      expect(lowest.step).toBe(best);
      expect(await checkpointsOf(config)).toEqual([`checkpoint-${best}`, 'checkpoint-6']);
      const result = await bytesOf(config, file);
      expect(result).toEqual(await bytesOf(config, `checkpoint-${best}`, file));
      expect(result).not.toEqual(await bytesOf(config, 'checkpoint-6', file));
      expect(ofType(finished, 'completed')[0]).toMatchObject({
        steps: 6,
        eval_loss: lowest.eval_loss,
        result_step: best,
      });
      expect(ofType(finished, 'warning').map(({ message }) => message)).toEqual([
        `The evaluation was best at step ${best} (loss ${lowest.eval_loss.toFixed(4)}): the result is the model of that step.`,
      ]);
      // Without it, the steps are the same and the result is the last one.
      const plain = tiny().config(unsteady(changes));
      await run(plain);
      expect(await checkpointsOf(plain)).toEqual(['checkpoint-6']);
      expect(await bytesOf(plain, file)).toEqual(await bytesOf(config, 'checkpoint-6', file));
    },
  );

  test('says nothing where the last one is the best', async () => {
    const config = tiny().config(unsteady({ max_steps: 5, load_best_model_at_end: true }));
    const finished = await run(config);
    expect(ofType(finished, 'warning')).toEqual([]);
    expect(ofType(finished, 'completed')[0]).not.toHaveProperty('result_step');
  });

  test('takes the last one where the best checkpoint has gone, and says so', async () => {
    const config = tiny().config(unsteady({ load_best_model_at_end: true }));
    const finished = await run(config, {
      onEvent: (event) => {
        if (event.type !== 'checkpoint' || event.step < 6) return;
        rmSync(path.join(path.dirname(event.dir), 'checkpoint-5'), { recursive: true });
      },
    });
    expect(ofType(finished, 'warning')[0]!.message).toMatch(
      /best at step 5 .* but its checkpoint cannot be used: .*; the result is the model of the last step\.$/,
    );
    const file = 'adapter_model.safetensors';
    expect(await bytesOf(config, file)).toEqual(await bytesOf(config, 'checkpoint-6', file));
  });
});

describe('early_stopping_patience', () => {
  test('ends the run, saved, where evaluations become no better', async () => {
    const config = tiny().config(
      unsteady({ early_stopping_patience: 1, load_best_model_at_end: true }),
    );
    const finished = await run(config);
    expect(finished.result).toMatchObject({ status: 'completed', steps: 3 });
    expect(ofType(finished, 'eval').map(({ step }) => step)).toEqual([0, 1, 2, 3]);
    expect(await checkpointsOf(config)).toEqual(['checkpoint-2', 'checkpoint-3']);
    expect(ofType(finished, 'warning').map(({ message }) => message)).toEqual([
      'The run ends at step 3 of 6: the evaluation was no better than that of step 2 (training.early_stopping_patience).',
      expect.stringContaining('best at step 2'),
    ]);
  });

  test('says with what the last evaluation was compared, though it is the best itself', async () => {
    const finished = await run(
      tiny().config(
        unsteady({
          learning_rate: 0.01,
          early_stopping_patience: 2,
          early_stopping_threshold: 1000,
        }),
      ),
    );
    const losses = ofType(finished, 'eval').map(({ eval_loss }) => eval_loss);
    expect(losses).toEqual(losses.toSorted((a, b) => b - a));
    expect(ofType(finished, 'warning').map(({ message }) => message)).toEqual([
      'The run ends at step 3 of 6: the evaluation was 2 times in a row not better by more than 1000 (training.early_stopping_threshold) than the best one before it, at last that of step 2 (training.early_stopping_patience).',
    ]);
  });

  test('a run that goes on counts on', async () => {
    const changes = unsteady({ early_stopping_patience: 2, early_stopping_threshold: 0.5 });
    const [whole, parts] = [tiny().config(changes), tiny().config(changes)];
    const expected = await run(whole);
    expect(expected.result.steps).toBe(3);
    await stopAfter(2, parts);
    const resumed = await run(
      tiny().config({
        ...changes,
        training: {
          ...changes.training,
          output_dir: parts.training.output_dir,
          resume_from_checkpoint: 'latest',
        },
      }),
    );
    const later = (events: Parameters<typeof comparable>[0]): unknown[] =>
      comparable(events).filter((event) => (event as { step?: number }).step! > 2);
    expect(later(resumed)).toEqual(later(expected));
    expect(resumed.result.steps).toBe(3);
  });
});
