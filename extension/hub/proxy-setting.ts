import * as vscode from 'vscode';
import type { ProxySetting } from '../../server/protocol/hub.ts';

/** The section of VS Code's own settings that says how requests leave. */
const SECTION = 'http';

/** The proxy that VS Code is set to use, in the place of that of the environment. */
export function proxySetting(): ProxySetting {
  const http = vscode.workspace.getConfiguration(SECTION);
  const isOff = http.get<string>('proxySupport') === 'off';
  const proxy = http.get<string>('proxy', '').trim();
  return {
    proxy: isOff || proxy === '' ? null : proxy,
    except: http.get<readonly string[]>('noProxy', []),
  };
}

/** Calls a listener when the setting may have become another one. */
export function onProxyChange(listener: () => void): vscode.Disposable {
  return vscode.workspace.onDidChangeConfiguration((change) => {
    if (change.affectsConfiguration(SECTION)) listener();
  });
}
