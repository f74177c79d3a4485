import { describe, expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { openTokenizer } from '../../../engine/models/base-model.ts';
import { loadRunData } from '../../../engine/plan/run-data.ts';
import { planRun } from '../../../engine/plan/run-plan.ts';
import { loadTokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { readExamples } from '../../../engine/train/run-examples.ts';
import { readTrainerState } from '../../../engine/train/trainer-state.ts';
import { stopAfter } from './stop-after.ts';
import { type ConfigChanges, comparable, ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

/** Rows of unequal length in several blocks of a file; a column that nobody reads makes them long. */
async function rowsFile(
  name: string,
  count: number,
  more: readonly string[] = [],
): Promise<string> {
  const rows = Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      text: `${name}${index}${'a'.repeat((index * 7) % 16)}`,
      note: 'x'.repeat(2000),
    }),
  );
  return tiny().file(`${name}.jsonl`, [...rows, ...more].map((row) => `${row}\n`).join(''));
}

async function planned(config: ResolvedConfig) {
  const model = await openTokenizer(config.model.base_model_name_or_path);
  const tokenizer = loadTokenizer(model.tokenizer, model.config);
  const data = await loadRunData(config, tokenizer, () => undefined);
  return { data, plan: planRun(config, data) };
}

/** Where the examples of an epoch stand in their files, window by window in the order of the steps. */
async function places(config: ResolvedConfig, epoch: number): Promise<string[][]> {
  const { plan } = await planned(config);
  const windows: string[][] = [];
  for (let index = 0; index < plan.windows; index++) {
    const { examples, steps } = await plan.window(epoch, index);
    const order = steps.flat().flatMap(({ rows }) => rows.flat());
    windows.push(order.map((at) => `${examples[at]!.file.at(-7)}${examples[at]!.line}`));
  }
  return windows;
}

describe('streamed data', () => {
  const streamed = async (changes: ConfigChanges = {}): Promise<ConfigChanges> => ({
    ...changes,
    data: {
      dataset_name_or_path: await rowsFile('r', 200),
      streaming: true,
      buffer_size: 48,
      ...changes.data,
    },
    training: { per_device_train_batch_size: 4, max_steps: undefined, ...changes.training },
  });

  test('every row comes once an epoch, in another order, which follows from the seed', async () => {
    const config = tiny().config(await streamed());
    const [first, second] = [await places(config, 0), await places(config, 1)];
    expect(first.map((window) => window.length)).toEqual([48, 48, 48, 48, 8]);
    for (const epoch of [first, second]) expect(new Set(epoch.flat()).size).toBe(200);
    expect(second).not.toEqual(first);
    expect(await places(config, 0)).toEqual(first);
    // Windows hold rows from all over the file.
    const lines = first[0]!.map((place) => Number(place.slice(1)));
    expect(lines.some((line, at) => at > 0 && Math.abs(line - lines[at - 1]!) > 48)).toBe(true);
    const seeded = tiny().config(await streamed({ training: { seed: 7 } }));
    expect(await places(seeded, 0)).not.toEqual(first);
  });

  test('of which a window holds all are learned as those in memory are', async () => {
    const config = (data: NonNullable<ConfigChanges['data']>) =>
      tiny().config({ data, training: { max_steps: 9, per_device_train_batch_size: 2 } });
    const one = await run(config({ streaming: true }));
    const other = await run(config({ streaming: false }));
    expect(ofType(one, 'step').map(({ loss }) => loss)).toEqual(
      ofType(other, 'step').map(({ loss }) => loss),
    );
  });

  test('held-out rows are in no window', async () => {
    const config = tiny().config(await streamed({ data: { eval_split: 30 } }));
    const { data, plan } = await planned(config);
    const held = data.evaluation.map(({ line }) => `r${line}`);
    expect(new Set(held).size).toBe(30);
    const trained = (await places(config, 0)).flat();
    expect(new Set([...held, ...trained]).size).toBe(200);
    expect(plan.windows).toBe(4);
    expect(data.trainReport).toMatchObject({ rows: 170, inferredFrom: 48 });
  });

  test('what was inferred from the first window is told as that, everywhere', async () => {
    const changes = await streamed({
      data: { dataset_name_or_path: await rowsFile('t', 96), max_length: 8, buffer_size: 12 },
      training: { max_steps: 1 },
    });
    const config = tiny().config(changes);
    const events = await run(config);
    const [started] = ofType(events, 'started');
    expect(started!.run.dataset.train).toMatchObject({ rows: 96, inferredFrom: 12 });
    const warnings = ofType(events, 'warning').map(({ message }) => message);
    expect(warnings).toContainEqual(
      expect.stringMatching(/^\d+ rows of the first 12 were cut at max_length/),
    );
    expect(await readExamples(config.training.output_dir)).toMatchObject({
      rows: 96,
      isInferred: true,
    });
    // A single window holds all of them: nothing is inferred.
    const all = await planned(
      tiny().config({ ...changes, data: { ...changes.data, buffer_size: 96 } }),
    );
    expect(all.data.trainReport.inferredFrom).toBeUndefined();
    expect(all.data.warnings.join()).not.toContain('of the first');
  });

  test('a run that is interrupted anywhere goes on as the same run', async () => {
    const changes = await streamed({
      data: {
        packing: true,
        dataset_name_or_path: await rowsFile('s', 60),
        eval_split: 8,
        buffer_size: 12,
      },
      training: { max_steps: 18, save_steps: 1000, logging_steps: 1, eval_steps: 7 },
    });
    const whole = await run(tiny().config(changes));
    for (const steps of [2, 14]) {
      const config = tiny().config(changes);
      await stopAfter(steps, config);
      const { state } = await readTrainerState(`${config.training.output_dir}/checkpoint-${steps}`);
      expect(state.window).toBeDefined();
      const again = {
        ...config,
        training: { ...config.training, resume_from_checkpoint: 'latest' },
      };
      const rest = comparable(await run(again)).filter(isOf('step', 'eval'));
      const expected = comparable(whole).filter(isOf('step', 'eval')).slice(-rest.length);
      expect(rest).toEqual(expected);
      expect(rest.filter(isOf('step'))).toHaveLength(18 - steps);
    }
    // Well into the second epoch.
    expect(ofType(whole, 'step').at(-1)!.epoch).toBeGreaterThan(1.2);
  });

  test('a checkpoint is for the data that it was made with', async () => {
    const changes = await streamed({ training: { max_steps: 4 } });
    const config = tiny().config(changes);
    await stopAfter(2, config);
    await rowsFile('r', 201);
    const again = { ...config, training: { ...config.training, resume_from_checkpoint: 'latest' } };
    await expect(run(again)).rejects.toThrow(/digest of the training data was/);
  });

  test('windows of which nothing is learned are passed over, and a run goes on after them', async () => {
    const empty = Array<string>(40).fill(JSON.stringify({ text: ' ', note: 'x'.repeat(2000) }));
    const changes = await streamed({
      data: { dataset_name_or_path: await rowsFile('e', 40, empty), eval_split: 4, buffer_size: 2 },
      training: { per_device_train_batch_size: 1, num_train_epochs: 2, logging_steps: 1, seed: 5 },
    });
    const { plan } = await planned(tiny().config(changes));
    const steps = await Promise.all(
      Array.from(
        { length: plan.windows },
        async (_, at) => (await plan.window(0, at)).steps.length,
      ),
    );
    expect(new Set(steps)).toEqual(new Set([0, 1, 2]));
    const whole = await run(tiny().config(changes));
    expect(ofType(whole, 'step').at(-1)!.epoch).toBeGreaterThan(1);
    const config = tiny().config(changes);
    await stopAfter(7, config);
    const again = { ...config, training: { ...config.training, resume_from_checkpoint: 'latest' } };
    const rest = comparable(await run(again)).filter(isOf('step', 'eval'));
    expect(rest).toEqual(comparable(whole).filter(isOf('step', 'eval')).slice(-rest.length));
  });

  test('a window of fewer rows than there are sets holds one of each', async () => {
    const file = await rowsFile('m', 3);
    const config = tiny().config(
      await streamed({
        data: {
          dataset_name_or_path: file,
          buffer_size: 1,
          mix: [{ dataset_name_or_path: file, weight: 100 }],
        },
        training: { per_device_train_batch_size: 1, max_steps: 4 },
      }),
    );
    expect((await run(config)).result.steps).toBe(4);
  });

  test('unusable rows end the run where they come, after what was learned is saved', async () => {
    const file = await rowsFile('bad', 50, Array(10).fill('{"text":'));
    const changes = await streamed({
      data: { dataset_name_or_path: file, buffer_size: 12, group_by_length: false },
      training: { max_steps: 20, save_steps: 1000 },
    });
    const config = tiny().config(changes);
    await expect(run(config)).rejects.toThrow(
      /rows in .*bad.jsonl cannot be used.*bad.jsonl:5\d: the line is not valid JSON/,
    );
    const more = {
      ...config,
      data: { ...config.data, max_bad_rows: 10 },
      training: { ...config.training, resume_from_checkpoint: 'latest' },
    };
    const rest = await run(more);
    expect(ofType(rest, 'started')[0]!.run.resumedAt).toBeGreaterThan(0);
    expect(rest.result.steps).toBe(20);
    expect(ofType(rest, 'warning').some(({ message }) => /rows? w.+ dropped/.test(message))).toBe(
      true,
    );
  });
});

function isOf(...types: readonly string[]): (event: unknown) => boolean {
  return (event) => types.includes((event as { readonly type: string }).type);
}
