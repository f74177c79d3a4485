import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** oneDNN's library for a platform, and that of the OpenMP by which it divides work among threads. */
export interface OnednnLibrary {
  /** Path of oneDNN's own, which the package brings. */
  readonly file: string;
  /** Name of OpenMP's, which the system has. */
  readonly openmp: string;
  /** What brings that to a system that lacks it, for people. */
  readonly openmpSource: string;
}

/** The platforms that oneDNN is published for (`scripts/fetch-onednn.mjs`). */
const LIBRARIES: Readonly<Record<string, Omit<OnednnLibrary, 'file'> & { readonly name: string }>> =
  {
    'linux-x64': {
      name: 'libdnnl.so.3',
      openmp: 'libgomp.so.1',
      openmpSource: 'libgomp1 (Debian, Ubuntu) or libgomp (Fedora)',
    },
    'win32-x64': {
      name: 'dnnl.dll',
      openmp: 'vcomp140.dll',
      openmpSource: 'the Microsoft Visual C++ Redistributable',
    },
  };

/** The library for this platform; undefined where there is none. */
export function onednnLibrary(): OnednnLibrary | undefined {
  const platform = `${process.platform}-${process.arch}`;
  const library = LIBRARIES[platform];
  if (library === undefined) return undefined;
  const { name, ...openmp } = library;
  const file = path.join(packageFolder(), 'onednn', platform, name);
  return existsSync(file) ? { file, ...openmp } : undefined;
}

/** The folder of this package: bundles and sources are not equally deep in it. */
function packageFolder(folder = path.dirname(fileURLToPath(import.meta.url))): string {
  const parent = path.dirname(folder);
  const isPackage = existsSync(path.join(folder, 'package.json')) || parent === folder;
  return isPackage ? folder : packageFolder(parent);
}
