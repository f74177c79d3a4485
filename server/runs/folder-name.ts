import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../../engine/errors.ts';
import { visible } from '../plain-text.ts';

/** More than any file system takes with what is added to names while files are written. */
const LONGEST_NAME = 200;

/** What some file systems refuse in names, separators among it. */
const FORBIDDEN = /[/\\:*?"<>|]/;

/** Names that Windows keeps for devices, whatever follows a dot. */
const DEVICES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

/**
 * Why a name cannot be that of a folder on one of the systems that the folder may be taken to, as a sentence;
 * undefined for a good one.
 */
export function folderNameProblem(name: string): string | undefined {
  const [first = ''] = FORBIDDEN.exec(name) ?? [];
  if (name === '') return 'A folder needs a name.';
  if (name.length > LONGEST_NAME) return `A name has at most ${LONGEST_NAME} characters.`;
  if (first !== '') return `A name cannot hold ${first}; leave it out.`;
  if (visible(name) !== name || /[\n\t]/.test(name)) {
    return `"${visible(name.replaceAll(/[\n\t]/g, ' '))}" holds characters that nobody sees; leave them out.`;
  }
  if (/^[. ]|[. ]$/.test(name)) return 'A name begins and ends with neither a dot nor a space.';
  if (DEVICES.test(name)) return `"${name}" is the name of a device on Windows; choose another.`;
  return undefined;
}

/** That something has the name that is wanted for a folder, as a sentence. */
export function takenName(name: string): string {
  return `There is something of the name "${name}" beside it already; choose another.`;
}

/**
 * The path of a folder under another name, beside where it lies.
 *
 * @throws LorafaError `usage.invalid` for a name that cannot be one
 */
export function renamedPath(folder: string, name: string): string {
  const problem = folderNameProblem(name);
  if (problem !== undefined) throw new LorafaError('usage.invalid', problem);
  return path.join(path.dirname(folder), name);
}

/**
 * Makes sure that nothing has a path that is wanted for a folder.
 *
 * @throws LorafaError `usage.invalid`
 */
export async function requireNotTaken(target: string): Promise<void> {
  const isTaken = await lstat(target).then(
    () => true,
    () => false,
  );
  if (isTaken) throw new LorafaError('usage.invalid', takenName(path.basename(target)));
}
