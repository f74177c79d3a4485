import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Wheel } from '../../engine/cuda/wheels.ts';

/** Why no wheels can be fetched here; undefined where they can. */
export function pipProblem(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'CUDA is set up on Linux x64';
  try {
    execFileSync('python3', ['-m', 'pip', '--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'there is no Python with pip';
  }
}

/** Makes a wheel in a folder, as an index has it, of files with some content each. */
export async function makeWheel(
  folder: string,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<Wheel> {
  const [version, platform] = ['1.0', 'manylinux_2_28_x86_64'];
  const id = `${name.replaceAll('-', '_')}-${version}`;
  const info = `${id}.dist-info`;
  const content = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-${platform}\n`,
    [`${info}/RECORD`]: '',
  };
  const source = path.join(folder, id);
  for (const [file, text] of Object.entries(content)) {
    await mkdir(path.dirname(path.join(source, file)), { recursive: true });
    await writeFile(path.join(source, file), text);
  }
  const wheel = path.join(folder, `${id}-py3-none-${platform}.whl`);
  const parts = [...new Set(Object.keys(content).map((file) => file.split('/')[0]!))];
  await promisify(execFile)('python3', ['-m', 'zipfile', '-c', wheel, ...parts], { cwd: source });
  await rm(source, { recursive: true });
  const bytes = await readFile(wheel);
  return {
    ...{ name, version, platform },
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    unpackedBytes: Object.values(files).join('').length,
    libraries: Object.keys(files).map((file) => path.basename(file)),
  };
}
