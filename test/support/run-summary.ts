import path from 'node:path';
import type { RunSummary } from '../../server/protocol.ts';
import { initialStatus, isFinal, type RunStatus } from '../../server/runs/run-status.ts';

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
    checkpoints: [],
    abandonedCheckpoints: [],
    problem: null,
    ...summary,
    status: full,
  };
}
