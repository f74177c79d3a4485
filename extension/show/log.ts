import * as vscode from 'vscode';
import { plainLines } from '../../server/plain-text.ts';
import { LIMITS } from './limits.ts';

/**
 * The extension's log, beside other extensions' in the Output view. Web addresses in it are links
 * there, as in every text editor; they open only by a click, in the browser.
 */
export function createLog(name: string): vscode.LogOutputChannel {
  const channel = vscode.window.createOutputChannel(name, { log: true });
  return {
    name: channel.name,
    get logLevel() {
      return channel.logLevel;
    },
    onDidChangeLogLevel: channel.onDidChangeLogLevel,
    trace: (...entry) => channel.trace(inEntry(entry)),
    debug: (...entry) => channel.debug(inEntry(entry)),
    info: (...entry) => channel.info(inEntry(entry)),
    warn: (...entry) => channel.warn(inEntry(entry)),
    error: (...entry) => channel.error(inEntry(entry)),
    append: (text) => channel.append(inEntry([text])),
    appendLine: (text) => channel.appendLine(inEntry([text])),
    replace: (text) => channel.replace(inEntry([text])),
    clear: () => channel.clear(),
    show: (place?: vscode.ViewColumn | boolean) => channel.show(place === true),
    hide: () => channel.hide(),
    dispose: () => channel.dispose(),
  };
}

/** Lines after the first are moved in, so that none can pass for an entry of its own. */
function inEntry(values: readonly unknown[]): string {
  const text = values.map(textOf).join(' ');
  return plainLines(text, LIMITS.logEntry).replaceAll('\n', '\n  ');
}

function textOf(value: unknown): string {
  return value instanceof Error ? (value.stack ?? value.message) : String(value);
}
