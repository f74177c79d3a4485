import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** An extension that exports what the Python extension does, and in which one interpreter is selected. */
export class PythonExtension {
  /** To be given to `openEditor`. */
  readonly folder: string;
  readonly #selected: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#selected = path.join(folder, 'selected.txt');
  }

  /** @param parent the folder that it is written into */
  static async write(parent: string, python: string): Promise<PythonExtension> {
    const extension = new PythonExtension(path.join(parent, 'python-extension'));
    await mkdir(extension.folder);
    const manifest = {
      ...{ publisher: 'ms-python', name: 'python', version: '2026.1.0' },
      ...{ engines: { vscode: '^1.104.0' }, main: './extension.js' },
    };
    await writeFile(path.join(extension.folder, 'package.json'), JSON.stringify(manifest));
    await writeFile(path.join(extension.folder, 'extension.js'), script(extension.#selected));
    await extension.select(python);
    return extension;
  }

  /** Selects another interpreter. */
  async select(python: string): Promise<void> {
    await writeFile(this.#selected, python);
  }
}

function script(selected: string): string {
  return `
const { readFileSync } = require('node:fs');
const vscode = require('vscode');
const environments = {
  getActiveEnvironmentPath: () => {
    const path = readFileSync(${JSON.stringify(selected)}, 'utf8');
    return { id: path, path };
  },
  resolveEnvironment: async ({ path }) => ({ executable: { uri: vscode.Uri.file(path) } }),
};
exports.activate = () => ({ environments });
`;
}
