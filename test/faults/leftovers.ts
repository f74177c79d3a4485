import { processOf } from '../../engine/process-mark.ts';
import { privateSocketFolders } from '../../server/rpc/socket-folder.ts';
import { socketOwner } from '../../server/rpc/socket-name.ts';
import { markedProcesses } from '../support/marked-processes.ts';
import { readOutcome } from './run-outcome.ts';
import type { TinyBench } from './tiny-runs.ts';

/** How long processes may take to end of themselves. */
const PATIENCE_MS = 10_000;

/** Where runs leave things behind, and what may be there. */
export interface Allowed {
  /** Ids of processes. */
  readonly processes: readonly number[];
  /** Names in the cache folder. */
  readonly cached: readonly string[];
}

/**
 * The sockets of trainers that are gone: one sentence for each.
 *
 * @param trainers their ids
 */
export async function leftSockets(trainers: ReadonlySet<number>): Promise<readonly string[]> {
  const folders = await privateSocketFolders();
  const names = (await Promise.all(folders.map(namesIn))).flat();
  return names
    .filter((name) => trainers.has(processOf(socketOwner(name) ?? '')))
    .map((name) => `the socket ${name} is left`);
}

/** What is there of the runs of a bench, though all of them have ended: one sentence for each thing. */
export async function leftovers(bench: TinyBench, allowed: Allowed): Promise<readonly string[]> {
  const { temporary, cache, registry } = bench;
  const left = (await untilAlone(bench, allowed.processes)).map((one) => `process ${one} is left`);
  for (const name of await namesIn(temporary)) left.push(`${name} is left in the temporary folder`);
  for (const name of await namesIn(registry)) {
    if (!/^[0-9a-f]{16}\.json$/.test(name)) left.push(`${name} is left in the registry`);
  }
  for (const name of await namesIn(cache)) {
    if (!allowed.cached.includes(name)) left.push(`${name} is left in the cache folder`);
  }
  return left;
}

/** Names of all that is in a folder; none when it does not exist. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readOutcome(folder)).names;
}

/** Waits for the ends of all other processes; the commands of those that stay. */
async function untilAlone(
  { folder }: TinyBench,
  allowed: readonly number[],
): Promise<readonly string[]> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const others = (await markedProcesses(folder)).filter(({ pid }) => !allowed.includes(pid));
    if (others.length === 0) return [];
    if (Date.now() > deadline) return others.map(({ command }) => command.join(' '));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
