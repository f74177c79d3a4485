import { createHash } from 'node:crypto';
import path from 'node:path';
import * as vscode from 'vscode';
import { countTokens, type ModelChoice } from '../../server/protocol/generation.ts';
import { CHAT_VENDOR } from '../ids.ts';
import type { ServerLink } from '../server-link.ts';
import { chatModelTexts } from '../show/chat-model.ts';
import { type ChatMessage, chatPrompt, textOf } from './chat-prompt.ts';
import { readCatalog } from './model-catalog.ts';
import { resultsAmong } from './run-results.ts';
import type { TextGeneration } from './text-generation.ts';

/** Files by which an adapter is told without a server. */
const ADAPTER_FILES = '**/adapter_config.json';
/** Where the context of a model is not known without loading it. */
const USUAL_CONTEXT = 2048;
/** An answer's most tokens, where the context is large enough. */
const MAX_OUTPUT_TOKENS = 1024;
const DEVICE = 'auto';

/** An adapter as a model of VS Code's chat. */
interface AdapterModel extends vscode.LanguageModelChatInformation {
  readonly choice: ModelChoice;
  /** The adapter's folder. */
  readonly folder: string;
  /** Some versions of VS Code show only models with it in the picker of the chat. */
  readonly isUserSelectable: true;
}

/** Offers what each run of the workspace has come to as a model in VS Code's own chat. */
class AdapterChatProvider implements vscode.LanguageModelChatProvider<AdapterModel> {
  readonly onDidChangeLanguageModelChatInformation: vscode.Event<void>;
  readonly #server: ServerLink;
  readonly #generation: TextGeneration;

  constructor(server: ServerLink, generation: TextGeneration, onDidChange: vscode.Event<void>) {
    this.#server = server;
    this.#generation = generation;
    this.onDidChangeLanguageModelChatInformation = onDidChange;
  }

  async provideLanguageModelChatInformation(): Promise<AdapterModel[]> {
    if (!vscode.workspace.isTrusted) return [];
    // The server is not started for workspaces without an adapter.
    const files = await vscode.workspace.findFiles(ADAPTER_FILES, null, 1);
    if (files.length === 0) return [];
    const { models, adapters } = await readCatalog(this.#server);
    return resultsAmong(adapters).flatMap((adapter) => {
      const { path: folder, name, model, quantization, modified } = adapter;
      if (model === null) return [];
      const known = models.find((each) => each.path === model);
      const context = known?.contextLength ?? USUAL_CONTEXT;
      const maxOutputTokens = Math.min(MAX_OUTPUT_TOKENS, Math.floor(context / 2));
      return {
        id: idOf(folder),
        version: modified,
        ...chatModelTexts({
          name,
          family: known?.name ?? path.basename(model),
          detail: vscode.workspace.asRelativePath(folder),
          tooltip: vscode.l10n.t('LoRA adapter for {0}', model),
        }),
        maxInputTokens: context - maxOutputTokens,
        maxOutputTokens,
        capabilities: {},
        isUserSelectable: true,
        choice: { model, device: DEVICE, quantization },
        folder,
      };
    });
  }

  async provideLanguageModelChatResponse(
    { folder, choice, maxOutputTokens }: AdapterModel,
    messages: readonly vscode.LanguageModelChatRequestMessage[],
    _options: vscode.ProvideLanguageModelChatResponseOptions,
    progress: vscode.Progress<vscode.LanguageModelResponsePart>,
    token: vscode.CancellationToken,
  ): Promise<void> {
    await this.#generation.write(
      {
        ...choice,
        adapter: folder,
        prompt: chatPrompt(messages.map(readMessage)),
        options: { max_new_tokens: maxOutputTokens },
      },
      { onPiece: (text) => progress.report(new vscode.LanguageModelTextPart(text)) },
      token,
    );
  }

  provideTokenCount(
    { choice }: AdapterModel,
    text: string | vscode.LanguageModelChatRequestMessage,
    token: vscode.CancellationToken,
  ): Promise<number> {
    const counted = typeof text === 'string' ? text : textOf(text.content);
    return this.#server.ask(countTokens, { ...choice, text: counted }, token);
  }
}

/** Registers the adapters as models; does nothing where VS Code has no such models. */
export function registerChatModels(
  context: vscode.ExtensionContext,
  {
    server,
    generation,
    onDidMove,
  }: {
    readonly server: ServerLink;
    readonly generation: TextGeneration;
    /** Fires when an adapter has another name. */
    readonly onDidMove: vscode.Event<unknown>;
  },
): void {
  // Editors made from VS Code may leave it out.
  if (!('registerLanguageModelChatProvider' in vscode.lm)) return;
  const didChange = new vscode.EventEmitter<void>();
  const watcher = vscode.workspace.createFileSystemWatcher(ADAPTER_FILES);
  const provider = new AdapterChatProvider(server, generation, didChange.event);
  context.subscriptions.push(
    didChange,
    watcher,
    watcher.onDidCreate(() => didChange.fire()),
    watcher.onDidDelete(() => didChange.fire()),
    onDidMove(() => didChange.fire()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => didChange.fire()),
    vscode.lm.registerLanguageModelChatProvider(CHAT_VENDOR, provider),
  );
}

/** The same for the same folder. Not its path: VS Code shows ids as Markdown whose links run commands. */
function idOf(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 16);
}

function readMessage({ role, content }: vscode.LanguageModelChatRequestMessage): ChatMessage {
  const isAnswer = role === vscode.LanguageModelChatMessageRole.Assistant;
  return { role: isAnswer ? 'assistant' : 'user', content: textOf(content) };
}
