import type * as vscode from 'vscode';
import type { ProxySetting } from '../../server/protocol/hub.ts';
import { onProxyChange, proxySetting } from './proxy-setting.ts';

/** Under which VS Code keeps the token, in the system's own store of secrets. */
const KEY = 'huggingFaceToken';

/** What the extension knows and writes nowhere else. */
export interface Secrets extends vscode.Disposable {
  /** The user's access token for the Hugging Face Hub; undefined where nobody signed in. */
  hubToken(): Thenable<string | undefined>;
  /** The proxy, in whose address a password may be. */
  proxy(): ProxySetting;
  /** Has somebody told when the user signs in or out, in this window or another one, or sets another proxy. */
  tell(listener: () => Promise<void>): void;
  /** Keeps a token, or removes it; resolves when all who are to know do. */
  keep(token: string | undefined): Promise<void>;
}

/** The secrets of this extension in VS Code's storage. */
export function secretsOf({ secrets }: Pick<vscode.ExtensionContext, 'secrets'>): Secrets {
  const listeners: (() => Promise<void>)[] = [];
  const tellAll = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener()));
  };
  const subscriptions = [
    secrets.onDidChange(({ key }) => {
      if (key === KEY) void tellAll();
    }),
    onProxyChange(() => void tellAll()),
  ];
  return {
    hubToken: () => secrets.get(KEY),
    proxy: proxySetting,
    tell: (listener) => void listeners.push(listener),
    keep: async (token) => {
      await (token === undefined ? secrets.delete(KEY) : secrets.store(KEY, token));
      await tellAll();
    },
    dispose: () => {
      for (const each of subscriptions) each.dispose();
    },
  };
}
