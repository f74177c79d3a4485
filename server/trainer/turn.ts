import { setTimeout as delay } from 'node:timers/promises';
import { readLock } from '../../engine/train/run-lock.ts';
import type { RunRegistry } from './run-registry.ts';
import { isFinal } from './run-status.ts';
import { type RunStateFile, readStateFile } from './state-file.ts';
import { TrainerClient } from './trainer-client.ts';

/** How long to wait before looking again at a run that cannot be connected to. */
const RETRY_MS = 1000;

/** How long the trainer of such a run may take to say that it is that run's. */
const GREETING_MS = 5000;

/** A run in the queue. */
export interface QueuePlace {
  readonly folder: string;
  /** When it was asked for, ISO 8601. */
  readonly queued: string;
}

/**
 * Waits until no run of this user is ahead: none that was asked for earlier, and none that is going
 * on. The queue has no owner that could end before it: each waiting trainer holds a connection to a
 * run ahead of it, and the end of the connection is the end of that run.
 *
 * @param onWait told which run is waited for
 * @throws when `signal` is aborted
 */
export async function untilTurn(
  registry: RunRegistry,
  self: QueuePlace,
  onWait: (folder: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const ahead = await runAhead(registry, self);
    if (ahead === undefined) return;
    onWait(ahead.folder);
    await untilEnded(ahead, signal);
    signal.throwIfAborted();
  }
}

interface RunAhead {
  readonly folder: string;
  readonly address: string | null;
}

async function runAhead(registry: RunRegistry, self: QueuePlace): Promise<RunAhead | undefined> {
  for (const { folder } of await registry.list()) {
    if (folder === self.folder) continue;
    const state = await readStateFile(folder);
    if (state === undefined || !isAhead(state, folder, self)) continue;
    if ((await readLock(folder)) !== undefined) return { folder, address: state.address };
  }
  return undefined;
}

function isAhead({ status, queued }: RunStateFile, folder: string, self: QueuePlace): boolean {
  if (isFinal(status.state)) return false;
  if (status.state !== 'queued') return true;
  return queued < self.queued || (queued === self.queued && folder < self.folder);
}

/**
 * Resolves when a run has ended, or may have: its state file can name any socket, so only a trainer
 * that greets as this run's is waited for, and the others are looked at again after a while.
 */
async function untilEnded({ folder, address }: RunAhead, signal: AbortSignal): Promise<void> {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const listener = { onStatus: () => undefined, onGrew: () => undefined, onClose: () => end() };
  const client =
    address === null
      ? undefined
      : await TrainerClient.connect(address, folder, GREETING_MS, listener).catch(() => undefined);
  if (client === undefined) return delay(RETRY_MS, undefined, { signal });
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  await ended;
  client.dispose();
}
