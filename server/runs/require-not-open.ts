import { LorafaError } from '../../engine/errors.ts';
import { isBelow } from '../../engine/is-below.ts';

/**
 * Makes sure that files and folders that are to go are none that are open in the editor, and hold none: its window would
 * lose them.
 *
 * @param open the folders that are
 * @throws LorafaError `usage.invalid`
 */
export function requireNotOpen(leaving: readonly string[], open: readonly string[]): void {
  const found = open.find((folder) => leaving.some((entry) => isBelow(entry, folder)));
  if (found === undefined) return;
  throw new LorafaError(
    'usage.invalid',
    `${found} is open in the editor, which would not find it any more; close it there, or open a folder above it instead.`,
    { location: { file: found } },
  );
}
