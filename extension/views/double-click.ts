import * as vscode from 'vscode';

/** Two clicks within this time are a double one, as in most systems, in milliseconds. */
const DOUBLE_CLICK_MS = 500;

/**
 * What a row's command does whose row is opened by a double click: VS Code runs it at the first click already, and
 * again at the second.
 *
 * @param open called with what the row gives its command
 */
export function onDoubleClick<Key>(open: (key: Key) => unknown): (key: Key) => unknown {
  let last: { readonly key: Key; readonly time: number } | undefined;
  return (key) => {
    const time = Date.now();
    const isSecond = last !== undefined && last.key === key && time - last.time < DOUBLE_CLICK_MS;
    last = isSecond ? undefined : { key, time };
    return isSecond || opensAtOnce() ? open(key) : undefined;
  };
}

/** Who has lists open by double clicks has the command run by these alone. */
function opensAtOnce(): boolean {
  const lists = vscode.workspace.getConfiguration('workbench.list');
  return lists.get<string>('openMode', 'singleClick') === 'doubleClick';
}
