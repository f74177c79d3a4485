import { readFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { resolvePaths } from '../../../engine/config/resolve-paths.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { cachedInput } from '../../../engine/inputs/hub-inputs.ts';
import { readRunRecord } from '../../../engine/train/run-record.ts';
import { goldenPath } from '../../support/golden.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import { hubRepository } from '../../support/hub-server/repositories.ts';
import { tinyModelRepository } from '../../support/hub-server/tiny-repositories.ts';
import { inTempFolder } from '../../support/temp-folder.ts';
import { ofType, run } from '../train/tiny-run.ts';

const MODEL = 'meta-llama/Meta-Llama-3-8B';
const EDITION = 'refs/convert/parquet';

/** A hub with a model, and a data set in the given files whose own edition it has made. */
async function worldWith(files: Readonly<Record<string, string>>): Promise<HubWorld> {
  const parquet = await readFile(goldenPath('data', 'groups.parquet'));
  const world = await HubWorld.create(
    await inTempFolder((folder) => tinyModelRepository(folder)),
    hubRepository('dataset', 'owner/rows', { 'README.md': '# Rows\n', ...files }),
  );
  world.hub.add(
    hubRepository(
      'dataset',
      'owner/rows',
      { 'default/train/0000.parquet': parquet, 'default/test/0000.parquet': parquet },
      { branches: new Set([EDITION]) },
    ),
  );
  return world;
}

function configOf(world: HubWorld, data: string, held?: string): ResolvedConfig {
  const { training, ...others } = world.config(MODEL, data, held);
  return resolvePaths(
    {
      ...others,
      data: {
        ...others.data,
        max_length: 32,
        prompt_column: 'question',
        completion_column: 'answer',
        format: 'prompt_completion',
      },
      training: { ...training, max_steps: 3, save_steps: 2 },
      engine: { ...others.engine, device: 'cpu', intra_op_num_threads: 1 },
    },
    world.folder,
  );
}

test('a data set of Parquet files trains, and a run goes on with the same files', async () => {
  const world = await worldWith({});
  const parquet = await readFile(goldenPath('data', 'groups.parquet'));
  world.hub.add(
    hubRepository('dataset', 'owner/own', {
      'data/train-00000-of-00002.parquet': parquet,
      'data/train-00001-of-00002.parquet': parquet,
      'data/test-00000-of-00001.parquet': parquet,
    }),
  );
  const config = configOf(world, 'owner/own[5:40]', 'owner/own');
  const finished = await run(config);
  // Answers of every seventh row are empty: nothing is learned from them.
  const { train, eval: held } = ofType(finished, 'started')[0]!.run.dataset;
  expect(train.rows + train.droppedRows).toBe(35);
  expect(held!.rows + held!.droppedRows).toBe(23);
  expect(finished.result).toMatchObject({ status: 'completed', steps: 3 });
  const record = await readRunRecord(config.training.output_dir);
  expect(record.hub).toContainEqual(
    expect.objectContaining({
      name: 'owner/own',
      use: 'training',
      files: ['data/train-00000-of-00002.parquet', 'data/train-00001-of-00002.parquet'],
    }),
  );
});

test.each([
  ['a loading script', { 'rows.py': 'import datasets\n' }],
  ['an archive', { 'rows.tar.gz': 'not for us', 'rows.xml': '<a/>' }],
])('a data set of %s trains with the edition that the hub has made of it', async (_, files) => {
  const world = await worldWith(files);
  const config = configOf(world, 'owner/rows[:12]', 'owner/rows');
  const finished = await run(config);
  expect(finished.result.status).toBe('completed');
  const { hub } = await readRunRecord(config.training.output_dir);
  expect(hub).toContainEqual(
    expect.objectContaining({
      name: 'owner/rows',
      use: 'training',
      revision: EDITION,
      files: ['default/train/0000.parquet'],
    }),
  );
  expect(await cachedInput('owner/rows', 'evaluation')).toEqual([
    expect.stringMatching(/default.test.0000\.parquet$/),
  ]);
  // The run goes on with these files, and a new one finds them although the hub is away.
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  const seen = world.hub.requests.length;
  const { training } = config;
  const rest = {
    ...config,
    training: {
      ...training,
      resume_from_checkpoint: `${training.output_dir}/checkpoint-2`,
      output_dir: `${training.output_dir}-2`,
    },
  };
  expect((await run(rest)).result.steps).toBe(3);
  const { sources } = await world.fetch(config);
  expect(sources.map(({ revision }) => revision)).toContain(EDITION);
  expect(world.hub.requests).toHaveLength(seen);
});

test('without such an edition it is said', async () => {
  const world = await worldWith({});
  world.hub.add(hubRepository('dataset', 'owner/script', { 'rows.py': 'import datasets\n' }));
  await expect(world.fetch(configOf(world, 'owner/script'))).rejects.toThrow(
    /^The data set owner\/script has no rows in a format that is read, and the hub has made no Parquet edition/,
  );
});
