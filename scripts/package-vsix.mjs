import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { fetchOnednn, hasOnednn } from './fetch-onednn.mjs';

/**
 * Packs what `npm run build` made into `lorafa-TARGET.vsix`, for one platform: its native libraries
 * of ONNX Runtime and oneDNN and nobody else's. The platform is the first argument (default: Linux x64).
 */
const LIBRARY_FOLDERS = {
  'linux-x64': 'linux/x64',
  'linux-arm64': 'linux/arm64',
  'darwin-arm64': 'darwin/arm64',
  'win32-x64': 'win32/x64',
  'win32-arm64': 'win32/arm64',
};
/** What people download at every update has a limit. */
const MAX_MEBIBYTES = 60;

const target = process.argv[2] ?? 'linux-x64';
const libraries = LIBRARY_FOLDERS[target];
if (libraries === undefined) {
  throw new Error(`${target} is none of ${Object.keys(LIBRARY_FOLDERS).join(', ')}.`);
}

const folder = await mkdtemp(path.join(os.tmpdir(), 'lorafa-package-'));
try {
  const ignoreFile = path.join(folder, 'vscodeignore');
  const allowList = await readFile('.vscodeignore', 'utf8');
  const binaries = `!node_modules/onnxruntime-node/bin/napi-v6/${libraries}/`;
  // CUDA's provider libraries are downloaded on demand; a checkout may have them beside the others.
  const names = [
    'libonnxruntime.*',
    'onnxruntime.dll',
    'DirectML.dll',
    'dxcompiler.dll',
    'dxil.dll',
  ];
  const caller = `node_modules/@koromix/koffi-${target}/`;
  const callerNames = ['package.json', 'index.js', `${target.replace('-', '_')}/koffi.node`];
  await requireCaller(caller);
  const products = hasOnednn(target) && (await isThereOnednn()) ? [`!onednn/${target}/*`] : [];
  const all = [
    ...names.map((name) => binaries + name),
    ...callerNames.map((name) => `!${caller}${name}`),
    ...products,
  ];
  await writeFile(ignoreFile, `${allowList}${all.join('\n')}\n`);
  const packagePath = `lorafa-${target}.vsix`;
  await createVSIX({
    target,
    packagePath,
    ignoreFile,
    allowMissingRepository: true,
    // The README's pictures are in the package; there is no address to rewrite them to.
    rewriteRelativeLinks: false,
  });
  const { size } = await stat(packagePath);
  if (size > MAX_MEBIBYTES * 2 ** 20) {
    throw new Error(`${packagePath} is larger than ${MAX_MEBIBYTES} MiB; see .vscodeignore.`);
  }
} finally {
  await rm(folder, { recursive: true });
}

/** Without oneDNN a package does all but compute in bfloat16, which it says when it is asked to. */
async function isThereOnednn() {
  try {
    await fetchOnednn(target);
    return true;
  } catch (error) {
    console.warn(`Packed without oneDNN, so that it cannot compute in bfloat16: ${error.message}`);
    return false;
  }
}

/** npm installs what calls native code for this machine alone, unless it is told otherwise. */
async function requireCaller(caller) {
  const isThere = await stat(caller).then(
    () => true,
    () => false,
  );
  const [os, cpu] = target.split('-');
  if (!isThere) throw new Error(`${caller} is missing; run npm ci --os=${os} --cpu=${cpu} first.`);
}
