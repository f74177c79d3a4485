/** The part of the `vscode` module that works on files: on those of the disk, as VS Code does it. */

import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** The address of a file, as far as one works with it here. */
interface FileUri {
  readonly path: string;
  readonly fsPath: string;
  with(change: { readonly path: string }): FileUri;
}

function file(fsPath: string): FileUri {
  return { path: fsPath, fsPath, with: (change) => file(change.path) };
}

export const Uri = {
  file,
  joinPath: ({ fsPath }: FileUri, ...names: readonly string[]) => file(path.join(fsPath, ...names)),
};

const options = { recursive: true, force: true };

/** Whatever a file or folder goes into is made. */
async function makeParent(target: FileUri): Promise<void> {
  await mkdir(path.dirname(target.fsPath), options);
}

/** What of `vscode.workspace` is about files. */
export const files = {
  asRelativePath: ({ fsPath }: FileUri) => fsPath,
  fs: {
    stat: async ({ fsPath }: FileUri) => {
      const { birthtimeMs: ctime, mtimeMs: mtime, size } = await stat(fsPath);
      return { ctime, mtime, size };
    },
    readDirectory: async ({ fsPath }: FileUri) => (await readdir(fsPath)).map((name) => [name, 1]),
    readFile: ({ fsPath }: FileUri) => readFile(fsPath),
    writeFile: ({ fsPath }: FileUri, content: Uint8Array) => writeFile(fsPath, content),
    createDirectory: ({ fsPath }: FileUri) => mkdir(fsPath, options),
    copy: async (from: FileUri, to: FileUri) => {
      await makeParent(to);
      await cp(from.fsPath, to.fsPath, options);
    },
    rename: async (from: FileUri, to: FileUri) => {
      await makeParent(to);
      await rename(from.fsPath, to.fsPath);
    },
    delete: ({ fsPath }: FileUri) => rm(fsPath, { recursive: true }),
  },
};
