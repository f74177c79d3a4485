import path from 'node:path';
import { expect, test } from 'vitest';
import { configSchema } from '../../../engine/config/schema.ts';
import { writeRunRecord } from '../../../engine/train/run-record.ts';
import { runReports } from '../../../server/runs/run-reports.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const ID = '0123456789abcdef0123456789abcdef';

/** The folder of a run with these settings of `training`. */
async function runWith(training: object): Promise<string> {
  const folder = await tempFolder();
  const config = configSchema.parse({
    model: { base_model_name_or_path: '/base' },
    data: { dataset_name_or_path: '/rows.jsonl' },
    training: { output_dir: folder, ...training },
  });
  const lineage = [{ session: 'a', from: 0 }];
  await writeRunRecord(folder, { config, lineage, tracked: { id: ID, name: 'run' } });
  return folder;
}

test('a run says where it is reported, and by which commands that is shown', async () => {
  const folder = await runWith({ report_to: ['tensorboard', 'mlflow', 'wandb'] });
  const reports = path.join(folder, 'runs');
  expect(await runReports(folder)).toEqual({
    folder: reports,
    commands: [
      `tensorboard --logdir ${reports}`,
      `MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri ${reports}/mlruns`,
      `wandb sync ${reports}/wandb/offline-run-*-01234567`,
    ],
  });
});

test('another folder of reports is named, as one word of a shell', async () => {
  const folder = await runWith({ report_to: ['tensorboard'], logging_dir: '/all my logs' });
  expect(await runReports(folder)).toEqual({
    folder: '/all my logs',
    commands: ["tensorboard --logdir '/all my logs'"],
  });
});

test('a run that reports nowhere, and a folder without a run, have nothing to say', async () => {
  expect(await runReports(await runWith({}))).toBeNull();
  expect(await runReports(await tempFolder())).toBeNull();
});
