import { randomBytes } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { ownTag, TAG_PATTERN } from '../../engine/process-mark.ts';
import { privateSocketFolders } from './socket-folder.ts';

/** The process that listens, and what tells its socket from every other, also of earlier processes. */
const NAME = new RegExp(`^(?<owner>${TAG_PATTERN})-[0-9a-f]{16}$`);

/** A name that no other socket has or will have. */
export function freshSocketName(): string {
  return `${ownTag()}-${randomBytes(8).toString('hex')}`;
}

/** The tag of the process that a socket belongs to by its name; undefined for what is no such name. */
export function socketOwner(name: string): string | undefined {
  return NAME.exec(name)?.groups?.['owner'];
}

/** Windows: the pipe of a name. */
export function pipeOf(name: string): string {
  return `\\\\.\\pipe\\lorafa-${name}`;
}

/**
 * What to connect to for the name of a socket. A name comes from a file that anybody may have
 * written, so that it can only mean one of this user's own sockets.
 *
 * @throws Error that says why there is none
 */
export async function addressOf(name: string): Promise<string> {
  if (socketOwner(name) === undefined) throw new Error('what it gives as its address is none');
  if (process.platform === 'win32') return pipeOf(name);
  for (const folder of await privateSocketFolders()) {
    const address = path.join(folder, name);
    const found = await lstat(address).catch(() => undefined);
    if (found?.isSocket() === true) return address;
  }
  throw new Error('its socket is not here: it may run on another computer or in a container');
}
