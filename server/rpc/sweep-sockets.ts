import { lstat, readdir, unlink } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { isOwnerRunning } from '../../engine/process-mark.ts';
import { socketOwner } from './socket-name.ts';

/** Before a socket listens, it has its name with this before it. */
export const UNFINISHED_PREFIX = '.';

/** Within this time a socket comes from its making to listening. */
const UNFINISHED_MS = 60_000;

/**
 * Removes from a private folder the sockets of processes that were killed: those that nobody
 * listens at, whose process is not there. Both are asked, since a process of a container that
 * shares the folder is out of sight, and a process with many callers may refuse some.
 */
export async function sweepSockets(folder: string): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const isUnfinished = entry.startsWith(UNFINISHED_PREFIX);
    const owner = socketOwner(isUnfinished ? entry.slice(UNFINISHED_PREFIX.length) : entry);
    if (owner === undefined || (await isOwnerRunning(owner))) continue;
    const address = path.join(folder, entry);
    const found = await lstat(address).catch(() => undefined);
    if (found?.isSocket() !== true) continue;
    if (isUnfinished && Date.now() - found.mtimeMs < UNFINISHED_MS) continue;
    if (await isRefused(address)) await unlink(address).catch(() => undefined);
  }
}

function isRefused(address: string): Promise<boolean> {
  const socket = net.connect(address);
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(false));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}
