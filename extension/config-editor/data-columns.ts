import { findNodeAtLocation, getNodeValue } from 'jsonc-parser';
import * as vscode from 'vscode';
import { readTree } from '../../server/language/json-path.ts';
import { listColumns } from '../../server/protocol/data.ts';
import type { ServerLink } from '../server-link.ts';

/**
 * Tells the columns of the data that a document names, now and whenever it names others.
 *
 * @param tell not called for what is no longer asked
 * @returns looks at the document again; nothing is asked where it names the same data
 */
export function watchColumns(
  document: vscode.TextDocument,
  server: ServerLink,
  tell: (columns: readonly string[]) => void,
): () => void {
  let asked: string | undefined;
  return () => {
    const text = document.getText();
    const data = dataOf(text);
    if (data === asked || !vscode.workspace.isTrusted) return;
    asked = data;
    const question = { configFile: document.uri.fsPath, text };
    server.ask(listColumns, question).then(
      (columns) => {
        if (data === asked) tell(columns);
      },
      // Names can be typed as well; the problems of the document say what is wrong with the data.
      () => undefined,
    );
  };
}

/** What decides about the columns. */
function dataOf(text: string): string {
  const { root } = readTree(text);
  const node = root && findNodeAtLocation(root, ['data', 'dataset_name_or_path']);
  return JSON.stringify(node === undefined ? null : getNodeValue(node));
}
