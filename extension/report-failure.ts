import * as vscode from 'vscode';
import { openConfig } from './config-editor/show-place.ts';
import { COMMANDS } from './ids.ts';
import { failureOf } from './server-link.ts';
import { type Choice, showError } from './show/notifications.ts';

/** Codes of what an access token of the Hub may open. */
const NEEDS_TOKEN: ReadonlySet<string> = new Set([
  'hub.gated',
  'hub.unauthorized',
  'hub.forbidden',
  'hub.bad_token',
]);

/** The button that signs in, where that may help with what has this code. */
export function signInChoices(code: string | undefined): readonly Choice[] {
  if (!NEEDS_TOKEN.has(code ?? '')) return [];
  const title = vscode.l10n.t('Sign in to Hugging Face…');
  return [{ title, run: () => vscode.commands.executeCommand(COMMANDS.signIn) }];
}

/**
 * Does what may need another access token than there is. Where it does, that is told, and when the user has signed in it is
 * done again.
 *
 * @returns undefined where nobody has signed in. Throws what else the action throws.
 */
export async function withSignIn<T>(action: () => Thenable<T>): Promise<T | undefined> {
  for (;;) {
    try {
      return await action();
    } catch (error) {
      const [choice] = signInChoices(failureOf(error)?.code);
      if (choice === undefined) throw error;
      let hasSignedIn: unknown = false;
      const run = async (): Promise<void> => {
        hasSignedIn = await choice.run();
      };
      await showError(messageOf(error), { ...choice, run });
      if (hasSignedIn !== true) return undefined;
    }
  }
}

/** What a failure is about. */
export interface FailedTask {
  /** The configuration that the user may want to see. */
  readonly configFile?: vscode.Uri | undefined;
  /** Tries again with a base model that the user shows. */
  readonly locateModel?: (() => unknown) | undefined;
}

/**
 * Tells of a failure in a notification, with what one can do about it, and in the log. Does not wait
 * for the answer.
 */
export function reportFailure(
  error: unknown,
  log: vscode.LogOutputChannel,
  { configFile, locateModel }: FailedTask = {},
): void {
  const failure = failureOf(error);
  logFailure(error, log);

  const choices: Choice[] = [];
  if (configFile !== undefined) {
    choices.push({
      title: vscode.l10n.t('Open Configuration'),
      run: () => openConfig(configFile),
    });
  }
  if (failure?.code === 'output.not_writable' && configFile !== undefined) {
    // Another window was faster: now it is known what is in the way.
    choices.push({
      title: vscode.l10n.t('Try Again'),
      run: () => vscode.commands.executeCommand(COMMANDS.startRun, configFile),
    });
  }
  if (failure?.code === 'model.not_found' && locateModel !== undefined) {
    choices.push({ title: vscode.l10n.t('Choose Base Model…'), run: locateModel });
  }
  choices.push(...signInChoices(failure?.code));
  choices.push({ title: vscode.l10n.t('Show Logs'), run: () => log.show() });
  void showError(messageOf(error), ...choices);
}

/** Writes into the log what is known of a failure, and returns the sentence for people. */
export function logFailure(error: unknown, log: vscode.LogOutputChannel): string {
  const failure = failureOf(error);
  const message = messageOf(error);
  log.error([message, ...(failure?.problems ?? []), failure?.detail ?? ''].join('\n  ').trimEnd());
  return message;
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
