import { isHubName, resolvePath } from '../../engine/config/resolve-paths.ts';
import { LorafaError } from '../../engine/errors.ts';

/**
 * A path from the command line, from the current folder.
 *
 * @throws LorafaError `usage.not_yet` for a name that only the Hugging Face Hub knows
 */
export function localPath(name: string, folder = process.cwd()): string {
  if (!isHubName(name, folder)) return resolvePath(name, folder);
  throw new LorafaError(
    'usage.not_yet',
    `"${name}" is not here, and downloads from the Hugging Face Hub are not supported yet; give a path on this machine.`,
  );
}
