import * as vscode from 'vscode';
import type { ConfigPath } from '../../engine/config/config-error.ts';
import { NotAnObjectError, withoutValue, withValue } from '../../server/language/config-edit.ts';
import type { KnownDevices } from '../doctor/known-devices.ts';
import { offeredDevice } from '../doctor/offered-device.ts';
import { COMMANDS } from '../ids.ts';
import type { ServerLink } from '../server-link.ts';
import { showError } from '../show/notifications.ts';
import { manageTrust } from '../trust.ts';
import { browse } from './browse.ts';
import { applyFix, type FixesOf, findFixes } from './config-fixes.ts';
import { watchColumns } from './data-columns.ts';
import { editDocument } from './edit-document.ts';
import { readFormState, type TextProblem } from './form-state.ts';
import {
  type FormState,
  type HostMessage,
  type PageMessage,
  pageMessageSchema,
} from './messages.ts';
import type { OpenForm } from './open-forms.ts';
import { openAsText } from './reopen.ts';

/** How long a page may take to write what is typed; it needs a few milliseconds, and more on a busy machine. */
const SETTLE_MS = 15_000;

/**
 * The form of one tab. The text document is the truth: the form sends edits and shows what the text
 * says then, so that undo, dirty state, saving and text editors beside it are VS Code's own.
 */
export class ConfigForm implements OpenForm, vscode.Disposable {
  readonly document: vscode.TextDocument;
  readonly #panel: vscode.WebviewPanel;
  readonly #server: ServerLink;
  readonly #subscription: vscode.Disposable;
  #state: FormState | undefined;
  #fixesOf: FixesOf = () => [];
  #isReady = false;
  #isClosed = false;
  readonly #devices: KnownDevices;
  readonly #lookAtColumns: () => void;
  #columns: readonly string[] = [];
  #answeredEdit = 0;
  /** Edits are made one after the other: each starts from the text of the one before. */
  #lastEdit: Promise<unknown> = Promise.resolve();
  readonly #settling = new Map<number, () => void>();
  #settleRequests = 0;
  /** What is to be shown when the page is there. */
  #revealed: ConfigPath | undefined;

  /** @param revealed the key to begin with */
  constructor(
    document: vscode.TextDocument,
    panel: vscode.WebviewPanel,
    server: ServerLink,
    devices: KnownDevices,
    revealed?: ConfigPath,
  ) {
    this.document = document;
    this.#panel = panel;
    this.#server = server;
    this.#devices = devices;
    this.#revealed = revealed;
    this.#lookAtColumns = watchColumns(document, server, (columns) => {
      this.#columns = columns;
      this.#sendColumns();
    });
    this.#subscription = vscode.Disposable.from(
      panel.webview.onDidReceiveMessage((data: unknown) =>
        this.#receive(pageMessageSchema.parse(data)),
      ),
      // A page that is not to be seen is gone, and comes anew.
      panel.onDidChangeViewState(() => {
        if (!panel.visible) this.#leave();
      }),
      vscode.workspace.onDidChangeTextDocument((event) => {
        if (event.document === document) this.#sendState();
      }),
      vscode.languages.onDidChangeDiagnostics(({ uris }) => {
        if (uris.some((uri) => String(uri) === String(document.uri))) this.#showProblems();
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        this.#sendState();
        this.#lookAtDevices();
      }),
      devices.onDidForget(() => this.#lookAtDevices()),
    );
  }

  get isVisible(): boolean {
    return this.#panel.visible;
  }

  async settle(): Promise<void> {
    if (this.#isReady) {
      const request = ++this.#settleRequests;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve, reject) => {
        this.#settling.set(request, resolve);
        timer = setTimeout(() => reject(silentForm(this.document)), SETTLE_MS);
        this.#send({ type: 'settle', request });
      }).finally(() => {
        clearTimeout(timer);
        this.#settling.delete(request);
      });
    }
    await this.#lastEdit;
  }

  reveal(path: ConfigPath): void {
    this.#panel.reveal();
    if (this.#isReady) this.#send({ type: 'reveal', path, takesFocus: true });
    else this.#revealed = path;
  }

  follow(path: ConfigPath): void {
    this.#send({ type: 'reveal', path, takesFocus: false });
  }

  dispose(): void {
    this.#isClosed = true;
    this.#subscription.dispose();
    this.#leave();
  }

  /** The page is gone, and has written what was typed in it: nobody waits for it any longer. */
  #leave(): void {
    this.#isReady = false;
    for (const settled of this.#settling.values()) settled();
  }

  #receive(message: PageMessage): void {
    switch (message.type) {
      case 'set':
      case 'clear':
        this.#lastEdit = this.#lastEdit.then(() => this.#edit(message)).catch(reportFailure);
        break;
      case 'settled':
        this.#settling.get(message.request)?.();
        break;
      default:
        // Edits wait neither for a dialog nor for a command, but these for the edits before them.
        this.#lastEdit.then(() => this.#handle(message)).catch(reportFailure);
    }
  }

  async #edit(message: Extract<PageMessage, { type: 'set' | 'clear' }>): Promise<void> {
    await tryEdit(this.document, (text) =>
      message.type === 'set'
        ? withValue(text, message.path, message.value)
        : withoutValue(text, message.path),
    );
    this.#answeredEdit = message.edit;
    this.#sendState();
  }

  async #handle(
    message: Exclude<PageMessage, { type: 'set' | 'clear' | 'settled' }>,
  ): Promise<unknown> {
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        this.#answeredEdit = 0;
        this.#sendColumns();
        this.#lookAtDevices();
        this.#showProblems();
        if (this.#revealed !== undefined) this.reveal(this.#revealed);
        this.#revealed = undefined;
        return;
      case 'browse': {
        const chosen = await browse(this.document, message.kind);
        if (chosen === undefined) return;
        return tryEdit(this.document, (text) => withValue(text, message.path, chosen));
      }
      case 'fix':
        await this.settle();
        return applyFix(this.#server, this.document, message.fix);
      case 'command':
        if (message.command === 'openAsText') return openAsText();
        if (message.command === 'manageTrust') return manageTrust();
        return vscode.commands.executeCommand(COMMANDS[message.command], this.document.uri);
    }
  }

  /** Shows the problems at once, and their fixes when they are known. */
  #showProblems(): void {
    this.#sendState();
    if (!vscode.workspace.isTrusted) return;
    const { version } = this.document;
    findFixes(this.#server, this.document).then(
      (fixesOf) => {
        // A document that changed meanwhile has its problems told anew.
        if (this.document.version !== version) return;
        this.#fixesOf = fixesOf;
        this.#sendState();
        // Without a server, the form shows what it can.
      },
      () => undefined,
    );
  }

  #sendState(): void {
    const problems = problemsOf(this.document).map((problem) => ({
      ...problem,
      fixes: this.#fixesOf(problem),
    }));
    const isRestricted = !vscode.workspace.isTrusted;
    const lastValues = this.#state?.values ?? {};
    this.#state = { ...readFormState(this.document.getText(), problems, lastValues), isRestricted };
    this.#send({ type: 'state', state: this.#state, answeredEdit: this.#answeredEdit });
    this.#lookAtColumns();
  }

  #sendColumns(): void {
    this.#send({ type: 'columns', columns: this.#columns });
  }

  /** Shows what devices there are when that is known; until then the page has their names alone. */
  #lookAtDevices(): void {
    if (!this.#isReady || !vscode.workspace.isTrusted) return;
    this.#devices.lookAside().then(
      (devices) => this.#send({ type: 'devices', devices: devices.map(offeredDevice) }),
      // Without a server, the form shows what it can.
      () => undefined,
    );
  }

  #send(message: HostMessage): void {
    // What it asked for comes later, of devices by seconds.
    if (this.#isClosed) return;
    void this.#panel.webview.postMessage(message);
  }
}

function silentForm({ uri }: vscode.TextDocument): Error {
  return new Error(
    vscode.l10n.t(
      'The form of {0} does not answer, so that what was typed last may be missing in the file: close the form, open it again, and look at its values.',
      vscode.workspace.asRelativePath(uri),
    ),
  );
}

function reportFailure(error: unknown): void {
  void showError(error instanceof Error ? error.message : String(error));
}

async function tryEdit(
  document: vscode.TextDocument,
  change: (text: string) => string,
): Promise<void> {
  try {
    await editDocument(document, change);
  } catch (error) {
    if (!(error instanceof NotAnObjectError)) throw error;
    const name =
      error.path.length === 0 ? vscode.l10n.t('the file') : `\`${error.path.join('.')}\``;
    void showError(
      vscode.l10n.t('Nothing was changed: {0} holds another value than an object { }.', name),
      { title: vscode.l10n.t('Open as Text'), run: openAsText },
    );
  }
}

function problemsOf(document: vscode.TextDocument): readonly Omit<TextProblem, 'fixes'>[] {
  return vscode.languages.getDiagnostics(document.uri).map(({ range, severity, message }) => ({
    offset: document.offsetAt(range.start),
    severity: SEVERITIES[severity],
    message,
  }));
}

const SEVERITIES: Readonly<Record<vscode.DiagnosticSeverity, TextProblem['severity']>> = {
  [vscode.DiagnosticSeverity.Error]: 'error',
  [vscode.DiagnosticSeverity.Warning]: 'warning',
  [vscode.DiagnosticSeverity.Information]: 'info',
  [vscode.DiagnosticSeverity.Hint]: 'info',
};
