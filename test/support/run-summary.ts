import path from 'node:path';
import { NO_NOTES } from '../../server/protocol/run-notes-schema.ts';
import type { RunCheckpoint, RunSummary } from '../../server/protocol/runs.ts';
import { initialStatus, isFinal, type RunStatus } from '../../server/trainer/run-status.ts';

/** A run as the server would tell of it; whether it is live follows from its state. */
export function runSummary(
  status: Partial<RunStatus>,
  summary: Partial<Omit<RunSummary, 'status'>> = {},
): RunSummary {
  const full = { ...initialStatus('running', '2026-01-01T10:00:00.000Z'), ...status };
  const isLive = !isFinal(full.state);
  const folder = summary.folder ?? '/home/me/runs/first';
  return {
    folder,
    name: path.basename(folder),
    configFile: null,
    isLive,
    isSteerable: isLive,
    attempt: null,
    began: null,
    seconds: 0,
    checkpoints: [],
    adapter: null,
    notes: NO_NOTES,
    unheard: null,
    problem: null,
    ...summary,
    status: full,
  };
}

/** A checkpoint as the server would tell of it. */
export function checkpoint(change: Partial<RunCheckpoint> = {}): RunCheckpoint {
  const { step = 20 } = change;
  return {
    folder: `/home/me/runs/first/checkpoint-${step}`,
    step,
    loss: null,
    evalLoss: null,
    isCurrent: true,
    problem: null,
    ...change,
  };
}
