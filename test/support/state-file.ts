import { initialStatus } from '../../server/trainer/run-status.ts';
import { type RunStateFile, writeStateFile } from '../../server/trainer/state-file.ts';

/** Stores the state of a run that a trainer has done at a time; complete unless changed. */
export function storeState(
  folder: string,
  time: string,
  change: Partial<RunStateFile> = {},
): Promise<void> {
  return writeStateFile(folder, {
    version: 1,
    pid: 1,
    address: null,
    protocolVersion: 1,
    heartbeat: time,
    queued: time,
    configFile: null,
    status: initialStatus('completed', time),
    ...change,
  });
}
