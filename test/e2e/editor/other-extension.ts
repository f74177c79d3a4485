import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** The command that it contributes, by its full title. */
export const OTHER_COMMAND = 'Other: Go';

/**
 * Writes another extension, which knows nothing of ours and is trusted everywhere.
 *
 * @param parent the folder that it is written into
 * @param script what its only command does: the body of an asynchronous function that has `vscode`
 * @returns its folder, to be given to `openEditor`
 */
export async function writeOtherExtension(parent: string, script: string): Promise<string> {
  const folder = path.join(parent, 'other-extension');
  await mkdir(folder);
  const [category, title] = OTHER_COMMAND.split(': ');
  const manifest = {
    ...{ publisher: 'example', name: 'other-extension', version: '0.0.1' },
    ...{ engines: { vscode: '^1.104.0' }, main: './extension.js' },
    capabilities: { untrustedWorkspaces: { supported: true } },
    contributes: { commands: [{ command: 'other.go', title, category }] },
  };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(
    path.join(folder, 'extension.js'),
    `const vscode = require('vscode');
const go = async () => { ${script} };
exports.activate = ({ subscriptions }) => {
  subscriptions.push(vscode.commands.registerCommand('other.go', go));
};
`,
  );
  return folder;
}
