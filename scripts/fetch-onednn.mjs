import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Puts oneDNN's library for a platform into `onednn/TARGET`, where products in bfloat16 look for it:
 * out of the wheel that Intel publishes on PyPI, which pip fetches and compares with its digest. Does
 * nothing where it is there. As a program, the platform is the first argument (default: this one).
 */
const VERSION = '2023.2.0';

const WHEELS = {
  'linux-x64': {
    name: 'onednn-cpu-gomp',
    platform: 'manylinux1_x86_64',
    sha256: '2f22a54d6a890ed14bfa185d42a4be65d8b5b1df85dc1f0f3a9abe31620416fb',
    library: 'lib/libdnnl.so.3',
  },
  'win32-x64': {
    name: 'onednn-cpu-vcomp',
    platform: 'win_amd64',
    sha256: 'a6316b7287aa308ba30282bbe1550e30281020671f2c66e5c863cb91e0cf2b05',
    library: 'Library/bin/dnnl.dll',
  },
};

const root = fileURLToPath(new URL('..', import.meta.url));

/** Whether there is a library for a platform. */
export function hasOnednn(target) {
  return target in WHEELS;
}

/** Throws an Error that says what is missing. */
export async function fetchOnednn(target) {
  const { name, platform, sha256, library } = WHEELS[target];
  const folder = path.join(root, 'onednn', target);
  if (await exists(folder)) return;
  const work = await mkdtemp(path.join(os.tmpdir(), 'lorafa-onednn-'));
  // Beside its place, so that it appears there whole.
  const made = `${folder}.${process.pid}.incomplete`;
  try {
    const requirements = path.join(work, 'requirements.txt');
    await writeFile(requirements, `${name}==${VERSION} --hash=sha256:${sha256}\n`);
    const choice = ['--no-deps', '--only-binary=:all:', `--platform=${platform}`];
    const pip = ['-m', 'pip', 'download', '--quiet', '--retries=1', '--require-hashes', ...choice];
    await python([...pip, '--dest', work, '--requirement', requirements]);
    const id = `${name.replaceAll('-', '_')}-${VERSION}`;
    await python([
      '-m',
      'zipfile',
      '-e',
      path.join(work, `${id}-py2.py3-none-${platform}.whl`),
      work,
    ]);
    const data = path.join(work, `${id}.data`, 'data');
    await mkdir(made, { recursive: true });
    await copyFile(path.join(data, library), path.join(made, path.basename(library)));
    const shared = target.startsWith('win32') ? path.join(data, 'Library') : data;
    const documents = path.join(shared, 'share', 'doc', 'onednn');
    await copyFile(
      path.join(documents, 'THIRD-PARTY-PROGRAMS'),
      path.join(made, 'THIRD-PARTY-PROGRAMS'),
    );
    // oneDNN has the Apache License 2.0, whose text is not in the wheel; TypeScript has the same one.
    const license = path.join(root, 'node_modules', 'typescript', 'LICENSE');
    await copyFile(license, path.join(made, 'LICENSE'));
    await rename(made, folder).catch(async (error) => {
      // Somebody else put it there meanwhile.
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
    await rm(made, { recursive: true, force: true });
  }
}

async function python(parameters) {
  const program = process.platform === 'win32' ? 'python' : 'python3';
  try {
    await promisify(execFile)(program, parameters);
  } catch (error) {
    const words = (error.stderr ?? '').trim().split('\n').at(-1) || error.message;
    throw new Error(`oneDNN comes from PyPI by ${program} and its pip, which said: ${words}`);
  }
}

function exists(file) {
  return stat(file).then(
    () => true,
    () => false,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const target = process.argv[2] ?? `${process.platform}-${process.arch}`;
  if (!hasOnednn(target)) {
    throw new Error(`oneDNN is published for ${Object.keys(WHEELS).join(' and ')}, not ${target}.`);
  }
  await fetchOnednn(target);
}
