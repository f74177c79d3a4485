import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import type { ProgressNews } from '../show/notifications.ts';

/** The files without which there is no adapter in PEFT's format. */
const NEEDED_FILES = ['adapter_config.json', 'adapter_model.safetensors'];

/**
 * What goes with them where it is there. A checkpoint has more (the optimizer's state), which nobody
 * needs who uses the adapter.
 */
const OTHER_FILES = ['chat_template.jinja', 'README.md'];

/**
 * Copies file by file beside their place, and moves them there when all are copied.
 *
 * @returns false when it was cancelled: nothing is left of it then
 * @throws Error with a sentence for people where a file of the adapter is missing, be it that it vanishes
 * while it is copied, and VS Code's own where nothing can be written; nothing is left then either
 */
export async function copyAdapter(
  source: vscode.Uri,
  target: vscode.Uri,
  news: ProgressNews,
  token: vscode.CancellationToken,
): Promise<boolean> {
  const { fs } = vscode.workspace;
  const present = await filesIn(source);
  const files = [...NEEDED_FILES, ...OTHER_FILES.filter((name) => present.has(name))];
  // A name of its own: what it is called is removed in the end.
  const half = target.with({ path: `${target.path}.${randomUUID()}.part` });
  try {
    await fs.createDirectory(half);
    for (const [index, name] of files.entries()) {
      news.report(vscode.l10n.t('{0} ({1} of {2})', name, index + 1, files.length));
      await copyFile(vscode.Uri.joinPath(source, name), vscode.Uri.joinPath(half, name));
      if (token.isCancellationRequested) return false;
    }
    for (const name of files) {
      const [from, to] = [vscode.Uri.joinPath(half, name), vscode.Uri.joinPath(target, name)];
      await fs.rename(from, to, { overwrite: true });
    }
    return true;
  } finally {
    await fs.delete(half, { recursive: true }).then(undefined, () => undefined);
  }
}

/** Names in a folder; none of one that is gone, of which the first file will be missed. */
async function filesIn(folder: vscode.Uri): Promise<ReadonlySet<string>> {
  const entries = await vscode.workspace.fs.readDirectory(folder).then(undefined, () => []);
  return new Set(entries.map(([name]) => name));
}

async function copyFile(from: vscode.Uri, to: vscode.Uri): Promise<void> {
  const { fs } = vscode.workspace;
  try {
    await fs.copy(from, to, { overwrite: true });
  } catch (error) {
    const isThere = await fs.stat(from).then(
      () => true,
      () => false,
    );
    if (isThere) throw error;
    throw new Error(
      vscode.l10n.t('{0} is missing, so that the adapter was not exported.', from.fsPath),
    );
  }
}
