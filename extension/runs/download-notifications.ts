import * as vscode from 'vscode';
import { type ProgressNews, showProgress } from '../show/notifications.ts';
import type { RunActions } from './run-actions.ts';
import type { RunList } from './run-list.ts';
import type { RunStore } from './run-store.ts';

/** A notification that is on the screen. */
interface Shown {
  news?: ProgressNews;
  close(): void;
}

/**
 * Shows a notification while a run downloads its model or data, with bytes, rate and time left. Its
 * button ends the run; what has come is kept for the next one.
 */
export function showDownloads(store: RunStore, actions: RunActions): vscode.Disposable {
  const shown = new Map<string, Shown>();
  const update = (runs: RunList): void => {
    const downloads = new Map(
      runs.flatMap(({ folder, name, isLive, status: { progress } }) =>
        isLive && progress?.download !== undefined ? [[folder, { name, progress }] as const] : [],
      ),
    );
    for (const [folder, { close }] of shown) {
      if (downloads.has(folder)) continue;
      shown.delete(folder);
      close();
    }
    for (const [folder, { name, progress }] of downloads) {
      if (!shown.has(folder)) shown.set(folder, open(folder, name, actions));
      shown.get(folder)?.news?.report(`${progress.task}: ${progress.download}`);
    }
  };
  return store.onDidChange(update);
}

function open(folder: string, name: string, actions: RunActions): Shown {
  let end!: () => void;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const notification: Shown = { close: end };
  const title = vscode.l10n.t('The run {0}', name);
  void showProgress({ title, cancellable: true }, async (news, token) => {
    notification.news = news;
    token.onCancellationRequested(() => void actions.control(folder, 'stop'));
    await ended;
  });
  return notification;
}
