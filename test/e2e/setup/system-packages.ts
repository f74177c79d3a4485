import { runProgram } from './run-program.ts';

/** Debian packages that code-server's native addons are built with, and the browser. */
const PACKAGES = [
  'chromium',
  'fonts-dejavu-core',
  'g++',
  'libkrb5-dev',
  'libsecret-1-dev',
  'libx11-dev',
  'libxkbfile-dev',
  'make',
  'pkg-config',
  'python3',
];

/**
 * Sees to it that the {@link PACKAGES} are there. On another system than Debian and its children
 * nothing is checked: a missing program will say so itself.
 *
 * @throws Error with the command to run, where packages are missing and may not be installed
 */
export async function ensureSystemPackages(): Promise<void> {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  if (process.getuid?.() !== 0) {
    throw new Error(
      `The end-to-end tests need Debian packages: run \`sudo apt-get ${install.join(' ')}\`.`,
    );
  }
  console.log(`Installing Debian packages: ${missing.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await runProgram('apt-get', ['update'], { env });
  await runProgram('apt-get', install, { env });
}

async function missingPackages(): Promise<readonly string[]> {
  const listing = await runProgram('dpkg-query', [
    '--show',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: these are the program's own fields
    '--showformat=${db:Status-Abbrev}${binary:Package}\n',
  ]).catch(() => undefined);
  if (listing === undefined) return [];
  // A line is "ii libx11-dev:amd64": state, name and, for some packages, the architecture.
  const installed = new Set(
    listing
      .split('\n')
      .filter((line) => line.startsWith('ii'))
      .map((line) => line.slice(2).trim().replace(/:.*$/, '')),
  );
  return PACKAGES.filter((name) => !installed.has(name));
}
