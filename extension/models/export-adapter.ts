import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { formatBytes } from '../../server/cli/format.ts';
import {
  exportProgress,
  exportAdapter as exportRequest,
  measureExports,
  requireAdapter,
} from '../../server/protocol/models.ts';
import type { ServerLink } from '../server-link.ts';
import { type ProgressNews, showInformation, showProgress } from '../show/notifications.ts';
import { reveal } from '../show/reveal.ts';
import { chooseAdapter } from './choose-adapter.ts';
import { chooseExport, type ExportChoice } from './export-choices.ts';
import type { UsableAdapter } from './model-catalog.ts';

/** Exports adapters, and those of checkpoints, in the formats of other programs. */
export class AdapterExports {
  readonly #server: ServerLink;
  /** Who is told of each export that goes on. */
  readonly #news = new Map<string, ProgressNews>();

  constructor(server: ServerLink) {
    this.#server = server;
    server.listen(exportProgress, ({ id, text }) => this.#news.get(id)?.report(text));
  }

  /**
   * Exports an adapter into a folder that the user chooses, under a name that nothing has there.
   *
   * @param arg see {@link chooseAdapter}
   * @throws Error or the server's error answer, with a sentence for people
   */
  async run(arg: unknown): Promise<void> {
    const title = vscode.l10n.t('Export which adapter?');
    const adapter = await chooseAdapter(this.#server, arg, title);
    if (adapter === undefined) return;
    await this.#server.ask(requireAdapter, { folder: adapter.path });
    const question = vscode.l10n.t('Export {0} in which format?', adapter.name);
    const sizes = this.#server.ask(measureExports, { folder: adapter.path });
    const choice = await chooseExport(question, sizes);
    if (choice === undefined) return;
    // Without it VS Code begins where it was last, which may be the folder of a run.
    const defaultUri = vscode.workspace.workspaceFolders?.[0]?.uri;
    const chosen = await vscode.window.showOpenDialog({
      canSelectFolders: true,
      canSelectFiles: false,
      ...(defaultUri !== undefined && { defaultUri }),
      title: vscode.l10n.t('Choose where the export is made'),
      openLabel: vscode.l10n.t('Export Here'),
    });
    const parent = chosen?.[0];
    if (parent === undefined) return;
    const target = await freeName(parent, adapter, choice);
    const options = { title: vscode.l10n.t('Exporting {0}', adapter.name), cancellable: true };
    const text = await showProgress(options, (news, token) =>
      this.#export(adapter, choice, target, news, token),
    );
    if (text === undefined) return;
    await showInformation(text, {
      title: vscode.l10n.t('Reveal'),
      run: () => reveal(target.fsPath),
    });
  }

  /** @returns what came of it, or undefined when it was cancelled */
  async #export(
    { path: folder }: UsableAdapter,
    { format, dtype }: ExportChoice,
    target: vscode.Uri,
    news: ProgressNews,
    token: vscode.CancellationToken,
  ): Promise<string | undefined> {
    const id = randomUUID();
    this.#news.set(id, news);
    try {
      const request = { id, folder, format, output: target.fsPath, dtype };
      const { bytes, tensors, notes } = await this.#server.ask(exportRequest, request, token);
      const said =
        format === 'peft'
          ? vscode.l10n.t('The adapter is in {0}; PEFT and others can load it.', target.fsPath)
          : vscode.l10n.t(
              '{0} was made ({1}); all of its {2} tensors were read back as they were meant.',
              target.fsPath,
              formatBytes(bytes),
              tensors,
            );
      return [said, ...notes].join(' ');
    } catch (error) {
      if (token.isCancellationRequested) return undefined;
      throw error;
    } finally {
      this.#news.delete(id);
    }
  }
}

/** The adapter's name, that of a checkpoint with its run's, and a number where something has it already. */
async function freeName(
  parent: vscode.Uri,
  { name }: UsableAdapter,
  { suffix }: ExportChoice,
): Promise<vscode.Uri> {
  const taken = new Set((await vscode.workspace.fs.readDirectory(parent)).map(([each]) => each));
  const wanted = name.replaceAll(/[\\/]/g, '-');
  for (let number = 1; ; number++) {
    const free = `${wanted}${number === 1 ? '' : `-${number}`}${suffix}`;
    if (!taken.has(free)) return vscode.Uri.joinPath(parent, free);
  }
}
