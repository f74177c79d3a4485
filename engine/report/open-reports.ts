import type { ReportTarget } from '../config/training-section.ts';
import { MLflow } from './mlflow.ts';
import { Reports } from './reports.ts';
import { TensorBoard } from './tensorboard.ts';
import type { TrackedRun, Tracker } from './tracker.ts';
import { WeightsAndBiases } from './wandb.ts';

/** The program that each name of `training.report_to` stands for. */
const TRACKERS: Readonly<Record<ReportTarget, new (run: TrackedRun) => Tracker>> = {
  tensorboard: TensorBoard,
  mlflow: MLflow,
  wandb: WeightsAndBiases,
};

/** What a session reports to, as its configuration says. Nothing is written yet. */
export function openReports(run: TrackedRun): Reports {
  const targets = new Set(run.config.training.report_to);
  return new Reports([...targets].map((target) => new TRACKERS[target](run)));
}
