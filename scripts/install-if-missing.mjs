import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * Installs the dependencies of a fresh clone, so that one command is enough there; does nothing
 * where they are in place. Runs inside an npm script.
 */
// npm writes this file when an installation is complete.
if (!existsSync('node_modules/.package-lock.json')) {
  // npm names itself to its scripts; by its own name it could not be started everywhere (Windows).
  const npm = process.env.npm_execpath;
  // What npm says is not the output of the command that needs it: it goes to stderr.
  const { status } = spawnSync(process.execPath, [npm, 'ci'], { stdio: ['inherit', 2, 2] });
  process.exitCode = status ?? 1;
}
