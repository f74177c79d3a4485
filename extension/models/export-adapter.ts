import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import type { ExportFormatName } from '../../engine/export/export-formats.ts';
import { formatBytes } from '../../server/format.ts';
import {
  exportProgress,
  exportAdapter as exportRequest,
  measureExports,
  requireAdapter,
} from '../../server/protocol/models.ts';
import { failureOf, type ServerLink } from '../server-link.ts';
import {
  type ProgressNews,
  showInformation,
  showProgress,
  showWarning,
} from '../show/notifications.ts';
import { reveal } from '../show/reveal.ts';
import { UnderWay } from '../show/under-way.ts';
import { chooseAdapter } from './choose-adapter.ts';
import { chooseExport, type ExportChoice } from './export-choices.ts';
import type { UsableAdapter } from './model-catalog.ts';

/** An export, as it is remembered while it goes on. */
interface Export {
  /** Path of what is made. */
  readonly name: string;
  /** Folder of the adapter. */
  readonly adapter: string;
}

/** Exports adapters, and those of checkpoints, in the formats of other programs. */
export class AdapterExports {
  readonly #server: ServerLink;
  /** Who is told of each export that goes on. */
  readonly #news = new Map<string, ProgressNews>();
  /** Paths that exports which go on will have. */
  readonly #taken = new Set<string>();
  readonly #underWay: UnderWay<Export>;

  /** @param memory of this window, from one session to the next */
  constructor(server: ServerLink, memory: vscode.Memento) {
    this.#server = server;
    this.#underWay = new UnderWay(memory, 'lorafa.exports');
    server.listen(exportProgress, ({ id, text }) => this.#news.get(id)?.report(text));
  }

  /** Tells of what was under way when the window was last closed or reloaded, and offers to begin again. */
  async tellInterrupted(again: (adapter: string) => Promise<void>): Promise<void> {
    for (const { name, adapter } of await this.#underWay.interrupted()) {
      const message = vscode.l10n.t(
        'The export to {0} ended when the window was closed or reloaded; nothing of it is kept.',
        name,
      );
      void showWarning(message, {
        title: vscode.l10n.t('Export Again'),
        run: () => again(adapter),
      });
    }
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
    const target = await freeName(parent, adapter, choice, this.#taken);
    const options = { title: vscode.l10n.t('Exporting {0}', adapter.name), cancellable: true };
    const name = target.fsPath;
    this.#taken.add(name);
    const text = await showProgress(options, async (news, token) => {
      await this.#underWay.begin({ name, adapter: adapter.path });
      try {
        const text = await this.#export(adapter, choice, target, news, token);
        await this.#underWay.end(name);
        return text;
      } catch (error) {
        // Without an answer of the server, the window may be closing.
        if (failureOf(error) !== undefined) await this.#underWay.end(name);
        throw error;
      } finally {
        this.#taken.delete(name);
      }
    });
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
      const { bytes, notes } = await this.#server.ask(exportRequest, request, token);
      const made = vscode.l10n.t(
        '{0} was made ({1}), read again and found right.',
        target.fsPath,
        formatBytes(bytes),
      );
      // Notes are of programs that do not load it as it is; those of an adapter for PEFT, of how it is loaded.
      const isLoaded = notes.length === 0 || format === 'peft';
      return [made, ...(isLoaded ? [nextStep(format)] : []), ...notes].join(' ');
    } catch (error) {
      if (token.isCancellationRequested) return undefined;
      throw error;
    } finally {
      this.#news.delete(id);
    }
  }
}

/** What loads an export. */
function nextStep(format: ExportFormatName): string {
  switch (format) {
    case 'peft':
      return vscode.l10n.t('PEFT and programs that know its adapters load it.');
    case 'merged':
      return vscode.l10n.t(
        'It is a model of its own, which transformers loads and runs can train.',
      );
    case 'gguf':
      return vscode.l10n.t('Open it with llama.cpp or a program that is built on it.');
    case 'gguf-adapter':
      return vscode.l10n.t('Give it to llama.cpp beside the base model, with --lora.');
    case 'ollama':
      return vscode.l10n.t('Run “ollama create NAME” in it, with a name of your choice.');
    case 'onnx':
      return vscode.l10n.t('ONNX Runtime GenAI and transformers.js load it.');
  }
}

/**
 * The adapter's name, that of a checkpoint with its run's, and a number where something has it already, or will.
 *
 * @param others paths that other exports will have
 */
async function freeName(
  parent: vscode.Uri,
  { name }: UsableAdapter,
  { suffix }: ExportChoice,
  others: ReadonlySet<string>,
): Promise<vscode.Uri> {
  const taken = new Set((await vscode.workspace.fs.readDirectory(parent)).map(([each]) => each));
  const wanted = name.replaceAll(/[\\/]/g, '-');
  for (let number = 1; ; number++) {
    const free = `${wanted}${number === 1 ? '' : `-${number}`}${suffix}`;
    const target = vscode.Uri.joinPath(parent, free);
    if (!taken.has(free) && !others.has(target.fsPath)) return target;
  }
}
