import { describe, expect, test } from 'vitest';
import { mixExamples } from '../../../engine/data/mix.ts';
import type { TokenizedExample } from '../../../engine/data/tokenized-example.ts';
import { openTokenizer } from '../../../engine/models/base-model.ts';
import { loadRunData } from '../../../engine/plan/run-data.ts';
import { planRun } from '../../../engine/plan/run-plan.ts';
import { loadTokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import { type ConfigChanges, ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

function examples(file: string, count: number): readonly TokenizedExample[] {
  return Array.from({ length: count }, (_, index) => ({
    file,
    line: index + 1,
    inputIds: new Int32Array(3),
    supervised: new Uint8Array(3),
    truncated: false,
  }));
}

/** How often each line of a set comes. */
function counts(set: readonly TokenizedExample[]): readonly number[] {
  const found = new Map<number, number>();
  for (const { line } of set) found.set(line, (found.get(line) ?? 0) + 1);
  return [...found.values()];
}

describe('what an epoch takes of sets', () => {
  const sets = [examples('a', 20), examples('b', 30), examples('c', 4)];
  const mix = (second: number | undefined, third: number | undefined, seed = 1) =>
    mixExamples(sets, [{ weight: undefined }, { weight: second }, { weight: third }], seed);

  test('is all of them without weights, and of the first always', () => {
    expect(mix(undefined, undefined)).toEqual(sets);
    expect(mix(0.5, 2)[0]).toEqual(sets[0]);
  });

  test('is as many as the weights say of the first', () => {
    const [, second, third] = mix(0.5, 0.9);
    expect([second!.length, third!.length]).toEqual([10, 18]);
    expect(new Set(counts(second!))).toEqual(new Set([1]));
    // Four rows, eighteen times: each four times, and two of them once more.
    expect(counts(third!).toSorted()).toEqual([4, 4, 5, 5]);
    expect(mix(0.001, undefined)[1]).toHaveLength(1);
  });

  test('follows from the seed', () => {
    expect(mix(0.5, 0.9)).toEqual(mix(0.5, 0.9));
    expect(mix(0.5, 0.9, 2)[1]).not.toEqual(mix(0.5, 0.9)[1]);
  });
});

/** Two sets with columns of their own. */
async function twoSets(data: ConfigChanges['data'] = {}): Promise<ConfigChanges> {
  const rows = (count: number, row: (index: number) => object): string =>
    Array.from({ length: count }, (_, index) => `${JSON.stringify(row(index))}\n`).join('');
  const task = await tiny().file(
    'task.jsonl',
    rows(40, (i) => ({ q: `${i}?`, a: `${i}.` })),
  );
  const chat = await tiny().file(
    'chat.jsonl',
    rows(30, (i) => ({ body: `Talk ${i}` })),
  );
  return {
    data: {
      dataset_name_or_path: task,
      prompt_column: 'q',
      completion_column: 'a',
      mix: [{ dataset_name_or_path: chat, weight: 0.5, text_column: 'body' }],
      ...data,
    },
    training: { max_steps: undefined, per_device_train_batch_size: 4 },
  };
}

async function planned(changes: ConfigChanges) {
  const config = tiny().config(changes);
  const model = await openTokenizer(config.model.base_model_name_or_path);
  const data = await loadRunData(
    config,
    loadTokenizer(model.tokenizer, model.config),
    () => undefined,
  );
  return { data, plan: planRun(config, data) };
}

function fromChat(set: readonly TokenizedExample[]): readonly TokenizedExample[] {
  return set.filter(({ file }) => file.endsWith('chat.jsonl'));
}

test('sets with columns of their own are learned together, and it is told how much of each', async () => {
  const { data, plan } = await planned(await twoSets());
  expect([data.train.length, fromChat(data.train).length]).toEqual([60, 20]);
  expect(data.trainReport.sets).toEqual([
    { name: expect.stringMatching(/task.jsonl$/), rows: 40, available: 40 },
    { name: expect.stringMatching(/chat.jsonl$/), rows: 20, available: 30 },
  ]);
  expect(plan.stepsPerEpoch).toBe(15);
});

test('held-out rows are of the first set, and the weights count what is left of it', async () => {
  const { data } = await planned(await twoSets({ eval_split: 10 }));
  expect(fromChat(data.evaluation)).toEqual([]);
  expect([data.train.length, fromChat(data.train).length]).toEqual([45, 15]);
});

test('streamed sets are mixed in every window, and later epochs go on in the larger set', async () => {
  const { data, plan } = await planned(await twoSets({ streaming: true, buffer_size: 12 }));
  expect(data.trainReport).toMatchObject({
    rows: 60,
    sets: [
      { rows: 40, available: 40 },
      { rows: 20, available: 30 },
    ],
  });
  const chat: number[] = [];
  const task = new Map<number, number>();
  for (const epoch of [0, 1, 2]) {
    for (let index = 0; index < plan.windows; index++) {
      const { examples } = await plan.window(epoch, index);
      expect(examples).toHaveLength(12);
      expect(fromChat(examples)).toHaveLength(4);
      chat.push(...fromChat(examples).map(({ line }) => line));
      for (const { file, line } of examples) {
        if (!file.endsWith('chat.jsonl')) task.set(line, (task.get(line) ?? 0) + 1);
      }
    }
  }
  expect([...task.values()]).toEqual(Array(40).fill(3));
  // Three epochs are two passes over the 30 rows.
  expect(new Set(chat.slice(0, 30)).size).toBe(30);
  expect(new Set(chat.slice(30)).size).toBe(30);
});

test('a run of mixed sets tells and keeps what it was made of', async () => {
  const changes = await twoSets();
  const config = tiny().config({ ...changes, training: { max_steps: 2 } });
  const finished = await run(config);
  expect(ofType(finished, 'started')[0]!.run.dataset.train.sets).toHaveLength(2);
  // Other weights are other data.
  const { data, training } = config;
  const other = {
    ...config,
    data: { ...data, mix: [{ ...data.mix![0]!, weight: 0.25 }] },
    training: { ...training, resume_from_checkpoint: 'latest', max_steps: 3 },
  };
  await expect(run(other)).rejects.toThrow(/data\.mix was/);
});
