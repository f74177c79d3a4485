import { homedir } from 'node:os';
import path from 'node:path';

/**
 * The folder for what can be made again: `LORAFA_CACHE_DIR`, or `lorafa` in the user's cache folder
 * of the operating system.
 */
export function defaultCacheFolder(): string {
  const { env } = process;
  const chosen = env['LORAFA_CACHE_DIR'];
  if (chosen) return chosen;
  switch (process.platform) {
    case 'win32':
      return path.join(env['LOCALAPPDATA'] ?? path.join(homedir(), 'AppData', 'Local'), 'lorafa');
    case 'darwin':
      return path.join(homedir(), 'Library', 'Caches', 'lorafa');
    default:
      return path.join(env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'lorafa');
  }
}
