import path from 'node:path';
import type { ReportTarget } from '../../engine/config/training-section.ts';
import { loggingFolder, shortId } from '../../engine/report/report-folder.ts';
import { whereItIsNow } from '../../engine/train/moved-run.ts';
import { findRunRecord } from '../../engine/train/run-record.ts';
import type { RunReports } from '../protocol/runs.ts';
import { shellWord } from '../shell-word.ts';

/** How what was reported in a folder is shown; `own` is in the names of what is the run's. */
const COMMANDS: Readonly<Record<ReportTarget, (folder: string, own: string) => string>> = {
  tensorboard: (folder) => `tensorboard --logdir ${shellWord(folder)}`,
  // MLflow 3 asks for the variable.
  mlflow: (folder) =>
    `MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri ${shellWord(path.join(folder, 'mlruns'))}`,
  // Others may report in the same folder, who do not want to be sent.
  wandb: (folder, own) =>
    `wandb sync ${shellWord(path.join(folder, 'wandb'))}/offline-run-*-${own}`,
};

/** See {@link RunReports}; null for a run that reports to no program, or whose record cannot be read. */
export async function runReports(runFolder: string): Promise<RunReports | null> {
  const record = await findRunRecord(runFolder);
  if (record?.tracked === undefined) return null;
  const config = whereItIsNow(record.config, runFolder);
  const targets = [...new Set(config.training.report_to)];
  if (targets.length === 0) return null;
  const folder = loggingFolder(config);
  const own = shortId(record.tracked.id);
  return { folder, commands: targets.map((target) => COMMANDS[target](folder, own)) };
}
