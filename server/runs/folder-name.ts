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

/** What is wrong with a name, as sentences. */
export interface FolderNameWords {
  readonly empty: string;
  readonly edges: string;
  long(most: number): string;
  forbidden(character: string): string;
  unseen(name: string): string;
  device(name: string): string;
  taken(name: string): string;
}

const ENGLISH: FolderNameWords = {
  empty: 'A folder needs a name.',
  edges: 'A name begins and ends with neither a dot nor a space.',
  long: (most) => `A name has at most ${most} characters.`,
  forbidden: (character) => `A name cannot hold ${character}; leave it out.`,
  unseen: (name) => `"${name}" holds characters that nobody sees; leave them out.`,
  device: (name) => `"${name}" is the name of a device on Windows; choose another.`,
  taken: (name) => `There is something of the name "${name}" beside it already; choose another.`,
};

/**
 * Why a name cannot be that of a folder on one of the systems that the folder may be taken to, as a sentence;
 * undefined for a good one.
 */
export function folderNameProblem(name: string, words = ENGLISH): string | undefined {
  const [first = ''] = FORBIDDEN.exec(name) ?? [];
  if (name === '') return words.empty;
  if (name.length > LONGEST_NAME) return words.long(LONGEST_NAME);
  if (first !== '') return words.forbidden(first);
  if (visible(name) !== name || /[\n\t]/.test(name)) {
    return words.unseen(visible(name.replaceAll(/[\n\t]/g, ' ')));
  }
  if (/^[. ]|[. ]$/.test(name)) return words.edges;
  if (DEVICES.test(name)) return words.device(name);
  return undefined;
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
  if (isTaken) throw new LorafaError('usage.invalid', ENGLISH.taken(path.basename(target)));
}
