import os from 'node:os';
import path from 'node:path';

/**
 * Where the editor of the end-to-end tests is kept between runs: `LORAFA_E2E_CACHE`, or
 * `lorafa-e2e` in the user's cache folder.
 */
export function e2eCacheFolder(): string {
  return process.env['LORAFA_E2E_CACHE'] ?? path.join(userCacheFolder(), 'lorafa-e2e');
}

function userCacheFolder(): string {
  switch (process.platform) {
    case 'darwin':
      return path.join(os.homedir(), 'Library', 'Caches');
    case 'win32':
      return process.env['LOCALAPPDATA'] ?? path.join(os.homedir(), 'AppData', 'Local');
    default:
      return process.env['XDG_CACHE_HOME'] ?? path.join(os.homedir(), '.cache');
  }
}
