/**
 * The `vscode` module as far as tests need it: it shows things, keeping what it is given in {@link shown}, and works on
 * the files of the disk. All tests take this one: those of a worker share what they import, and so its `vscode`.
 */

import { CancellationTokenSource, Emitter as EventEmitter } from 'vscode-jsonrpc';

import { files } from './vscode-files.ts';

export { Uri } from './vscode-files.ts';
export { l10n } from './vscode-words.ts';
export { CancellationTokenSource, EventEmitter };

/** What was given to VS Code, by the function that it was given to, the latest last. */
export const shown: { readonly to: string; readonly args: readonly unknown[] }[] = [];

/** What the user answers to whatever comes next; undefined: closes it. */
export const user: {
  answer: unknown;
  /** Answers by what is shown, in the place of `answer`. */
  reply?: ((to: string, args: readonly unknown[]) => unknown) | undefined;
  /** Whether the views are in sight. */
  seesViews: boolean;
} = { answer: undefined, seesViews: true };

function keeps(to: string) {
  return async (...args: readonly unknown[]): Promise<unknown> => {
    const given = await Promise.all(args);
    shown.push({ to, args: given });
    return user.reply === undefined ? user.answer : user.reply(to, given);
  };
}

/** A notification or a question, which the user answers only with what it offers. */
function offers(to: string) {
  const keep = keeps(to);
  return async (...args: readonly unknown[]): Promise<unknown> => {
    const answer = await keep(...args);
    return args.includes(answer) ? answer : undefined;
  };
}

/** An input that stays open until the user does something with it. */
export class Input {
  title = '';
  placeholder = '';
  prompt = '';
  value = '';
  validationMessage: string | undefined;
  items: readonly unknown[] = [];
  selectedItems: readonly unknown[] = [];
  buttons: readonly unknown[] = [];
  step = 0;
  totalSteps = 0;
  accept = (): void => undefined;
  hide = (): void => undefined;
  trigger = (): void => undefined;
  onDidAccept(handler: () => void): void {
    this.accept = handler;
  }
  onDidHide(handler: () => void): void {
    this.hide = handler;
  }
  onDidTriggerButton(handler: () => void): void {
    this.trigger = handler;
  }
  activeItems: readonly unknown[] = [];
  busy = false;
  onDidChangeValue(handler: (value: string) => void): void {
    this.type = (value) => {
      this.value = value;
      handler(value);
    };
  }
  type = (value: string): void => {
    this.value = value;
  };
  show(): void {
    shown.push({ to: 'input', args: [this] });
  }
  dispose(): void {}
}

class Item {
  name = '';
  text = '';
  tooltip: unknown;
  command: unknown;
  accessibilityInformation: unknown;
  show(): void {
    shown.push({ to: 'statusBar', args: [this] });
  }
  hide(): void {}
  dispose(): void {}
}

/** A tab's file, where it is shown as text. */
export class TabInputText {
  readonly uri: unknown;
  constructor(uri: unknown) {
    this.uri = uri;
  }
}

/** The module. */
export const window = {
  showTextDocument: keeps('document'),
  tabGroups: { all: [] as readonly unknown[], close: keeps('close') },
  showErrorMessage: offers('error'),
  showWarningMessage: offers('warning'),
  showInformationMessage: offers('information'),
  showQuickPick: keeps('quickPick'),
  showInputBox: keeps('inputBox'),
  showSaveDialog: keeps('saveDialog'),
  createQuickPick: () => new Input(),
  createInputBox: () => new Input(),
  withProgress: (options: unknown, task: (progress: unknown, token: unknown) => unknown) => {
    shown.push({ to: 'progress', args: [options] });
    return task({ report: (news: unknown) => shown.push({ to: 'report', args: [news] }) }, {});
  },
  createStatusBarItem: () => new Item(),
  createTreeView: (id: string, options: unknown) => {
    const rows = { unfolds: new EventEmitter(), folds: new EventEmitter() };
    const turns = new EventEmitter();
    shown.push({ to: 'treeView', args: [id, options, rows] });
    return {
      get visible() {
        return user.seesViews;
      },
      onDidChangeVisibility: turns.event,
      selection: [],
      reveal: keeps('reveal'),
      onDidExpandElement: rows.unfolds.event,
      onDidCollapseElement: rows.folds.event,
      dispose: () => undefined,
    };
  },
  createWebviewPanel: (type: string, title: string) => ({ type, title }),
  createOutputChannel: (name: string) => {
    const keep =
      (to: string) =>
      (...args: readonly unknown[]) =>
        void shown.push({ to, args });
    return {
      name,
      logLevel: 1,
      ...Object.fromEntries(
        ['trace', 'debug', 'info', 'warn', 'error', 'append', 'appendLine', 'replace'].map((to) => [
          to,
          keep(to),
        ]),
      ),
    };
  },
};

/** What ends something, or several things. */
export class Disposable {
  readonly dispose: () => void;
  constructor(dispose: () => void) {
    this.dispose = dispose;
  }
  static from(...parts: readonly { dispose(): void }[]): Disposable {
    return new Disposable(() => {
      for (const part of parts) part.dispose();
    });
  }
}

/** A row of a view. */
export class TreeItem {
  readonly label: string;
  constructor(label: string) {
    this.label = label;
  }
}

export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };

/** An icon or a colour of the theme, by its name. */
class Themed {
  readonly id: string;
  constructor(id: string) {
    this.id = id;
  }
}

export { Themed as ThemeColor, Themed as ThemeIcon };

/** Other extensions that are installed, by their ids. */
export const installed = new Map<string, { activate(): Promise<unknown> }>();
export const extensions = { getExtension: (id: string) => installed.get(id) };

export const commands = { executeCommand: keeps('command') };
export const env: { language: string; remoteName: string | undefined; uiKind: number } = {
  language: 'en',
  remoteName: undefined,
  uiKind: 1,
};
export const UIKind = { Desktop: 1, Web: 2 };

/** What VS Code says of files, with a code where it knows one. */
export class FileSystemError extends Error {
  readonly code: string = 'Unknown';
}

/** Nothing is wrong with any document. */
export const languages = {
  getDiagnostics: () => [],
  onDidChangeDiagnostics: new EventEmitter().event,
};
export const DiagnosticSeverity = { Error: 0, Warning: 1, Information: 2, Hint: 3 };

/** Without a folder, and with the settings that are the default. */
export const workspace = {
  ...files,
  onDidChangeTextDocument: new EventEmitter().event,
  onDidGrantWorkspaceTrust: new EventEmitter().event,
  workspaceFolders: undefined,
  isTrusted: true,
  getConfiguration: () => ({ get: (_name: string, otherwise: unknown) => otherwise }),
};

export const StatusBarAlignment = { Left: 1 };
export const ProgressLocation = { Notification: 15 };
export const ViewColumn = { Active: -1 };
export const QuickInputButtons = { Back: 'back' };
export const QuickPickItemKind = { Separator: -1 };
