import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { LorafaError } from '../../engine/errors.ts';

/** What the name of a folder may not hold: separators, and what some file systems refuse. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const FORBIDDEN = /[/\\:*?"<>|\u0000-\u001f]|^\.|[. ]$/;

/**
 * The path of a folder under another name, beside where it lies.
 *
 * @throws LorafaError `usage.invalid` for a name that cannot be one
 */
export function renamedPath(folder: string, name: string): string {
  if (FORBIDDEN.test(name) || name.length > 200) {
    throw new LorafaError(
      'usage.invalid',
      `"${name}" cannot be the name of a folder; leave out slashes, colons and quotes, and a dot at its ends.`,
    );
  }
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
  if (!isTaken) return;
  throw new LorafaError(
    'usage.invalid',
    `There is something of the name "${path.basename(target)}" in ${path.dirname(target)} already; choose another name.`,
  );
}
