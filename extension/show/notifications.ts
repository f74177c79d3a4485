import * as vscode from 'vscode';
import { plainLine } from '../../server/plain-text.ts';
import { LIMITS } from './limits.ts';
import { withoutLinks } from './markup.ts';
import { withRelativePaths } from './relative-paths.ts';

/** A button of a notification, and what it does. */
export interface Choice extends vscode.MessageItem {
  run(): unknown;
}

/** Tells what went wrong; resolves when the notification is gone and what was chosen is done. */
export async function showError(message: string, ...choices: readonly Choice[]): Promise<void> {
  const chosen = await vscode.window.showErrorMessage(inNotification(message), ...choices);
  await chosen?.run();
}

/** Warns; see {@link showError}. */
export async function showWarning(message: string, ...choices: readonly Choice[]): Promise<void> {
  const chosen = await vscode.window.showWarningMessage(inNotification(message), ...choices);
  await chosen?.run();
}

/** Tells of what is no problem; see {@link showError}. */
export async function showInformation(
  message: string,
  ...choices: readonly Choice[]
): Promise<void> {
  const chosen = await vscode.window.showInformationMessage(inNotification(message), ...choices);
  await chosen?.run();
}

/** Questions that stand on the screen, or wait behind another dialog. */
const asked = new Set<string>();

/**
 * Asks in a dialog that blocks the window whether something shall be done. A question that stands
 * there already is answered with no: whoever clicks twice means it once.
 *
 * @param detail one line or several
 */
export async function confirm(
  question: string,
  action: string,
  detail?: string | readonly string[],
): Promise<boolean> {
  return (await decide(question, [action], detail)) === action;
}

/** Asks in a dialog as {@link confirm} does which of some things shall be done; undefined: none of them. */
export async function decide<Action extends string>(
  question: string,
  actions: readonly Action[],
  detail?: string | readonly string[],
): Promise<Action | undefined> {
  if (asked.has(question)) return undefined;
  asked.add(question);
  const options: vscode.MessageOptions = {
    modal: true,
    ...(detail !== undefined && { detail: [detail].flat().map(inNotification).join('\n') }),
  };
  const text = inNotification(question);
  try {
    return await vscode.window.showWarningMessage(text, options, ...actions);
  } finally {
    asked.delete(question);
  }
}

/** How far something is that takes long. */
export interface ProgressNews {
  /** Shown behind the title. */
  report(message: string): void;
}

/**
 * Shows a notification while something goes on.
 *
 * @param title what goes on
 * @param task given a token that the notification's button cancels, if it has one
 */
export function showProgress<T>(
  { title, cancellable = false }: { readonly title: string; readonly cancellable?: boolean },
  task: (news: ProgressNews, token: vscode.CancellationToken) => Promise<T>,
): Thenable<T> {
  return vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: inNotification(title),
      cancellable,
    },
    (progress, token) =>
      task({ report: (message) => progress.report({ message: inNotification(message) }) }, token),
  );
}

/** Shows in the status bar that something goes on which hardly ever takes long. */
export function showQuietProgress<T>(title: string, task: () => Promise<T>): Thenable<T> {
  const options = { location: vscode.ProgressLocation.Window, title: inNotification(title) };
  return vscode.window.withProgress(options, task);
}

function inNotification(text: string): string {
  return withoutLinks(plainLine(withRelativePaths(text), LIMITS.message));
}
