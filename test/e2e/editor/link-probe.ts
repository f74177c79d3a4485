import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Another extension that shows a text as VS Code takes it, without any care: with it a test sees that
 * what it looks for would be there.
 *
 * @param parent the folder that it is written into
 * @returns its folder, to be given to `openEditor`
 */
export async function writeLinkProbe(parent: string, text: string): Promise<string> {
  const folder = path.join(parent, 'link-probe');
  await mkdir(folder);
  const manifest = {
    ...{ publisher: 'example', name: 'link-probe', version: '0.0.1' },
    ...{ engines: { vscode: '^1.104.0' }, main: './extension.js' },
    contributes: { commands: [{ command: 'probe.show', title: 'Probe: Show the Text' }] },
  };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(
    path.join(folder, 'extension.js'),
    `const vscode = require('vscode');
const show = () => vscode.window.showErrorMessage(${JSON.stringify(text)});
exports.activate = ({ subscriptions }) => {
  subscriptions.push(vscode.commands.registerCommand('probe.show', show));
};
`,
  );
  return folder;
}
