import * as vscode from 'vscode';
import { whoIsSignedIn } from '../../server/protocol/hub.ts';
import { failureOf, type ServerLink } from '../server-link.ts';
import { showError, showInformation, showProgress, showWarning } from '../show/notifications.ts';
import { askForText, pick } from '../show/quick-input.ts';
import type { Secrets } from './secrets.ts';

/** Where people make access tokens. */
const TOKENS_PAGE = 'https://huggingface.co/settings/tokens';

/**
 * Asks for an access token for the Hugging Face Hub and keeps it in VS Code's secret storage, once the
 * Hub has said whose it is; or removes the one that is there. One that the Hub does not accept is not kept: that is told,
 * and another can be given.
 *
 * @returns whether there is another token now
 */
export async function signIn(secrets: Secrets, server: ServerLink): Promise<boolean> {
  const before = await secrets.hubToken();
  const rows = [
    {
      icon: 'key',
      label: vscode.l10n.t('Enter an access token…'),
      detail: vscode.l10n.t('Kept in the secret storage of VS Code'),
      run: () => enterToken(secrets, server, before),
    },
    {
      icon: 'link-external',
      label: vscode.l10n.t('Make an access token'),
      detail: TOKENS_PAGE,
      run: async () => {
        await vscode.env.openExternal(vscode.Uri.parse(TOKENS_PAGE));
        // It is shown there once, and is wanted here.
        return enterToken(secrets, server, before);
      },
    },
    ...(before === undefined
      ? []
      : [
          {
            icon: 'sign-out',
            label: vscode.l10n.t('Sign out'),
            detail: vscode.l10n.t('Remove the access token that is kept'),
            run: async () => {
              await secrets.keep(undefined);
              void showInformation(vscode.l10n.t('Signed out of Hugging Face.'));
              return false;
            },
          },
        ]),
  ];
  const title = vscode.l10n.t('Sign in to Hugging Face');
  const chosen = await pick(rows, { title, placeHolder: placeHolderFor(before) });
  return (await chosen?.run()) ?? false;
}

function placeHolderFor(before: string | undefined): string {
  return before === undefined
    ? vscode.l10n.t('For models and data that are gated or private')
    : vscode.l10n.t('An access token is kept; enter another one, or remove it');
}

async function enterToken(
  secrets: Secrets,
  server: ServerLink,
  before: string | undefined,
): Promise<boolean> {
  const token = await askForText({
    title: vscode.l10n.t('Sign in to Hugging Face'),
    prompt: vscode.l10n.t(
      'An access token with the permission to read, and to write if you want to push adapters',
    ),
    value: '',
    isSecret: true,
    problemOf: (text) =>
      /^[\x21-\x7e]+$/.test(text.trim())
        ? undefined
        : vscode.l10n.t('Paste the whole token, which begins with hf_'),
  });
  if (token === undefined) return false;
  await secrets.keep(token.trim());
  try {
    const title = vscode.l10n.t('Signing in to Hugging Face…');
    const name = await showProgress({ title }, () => server.ask(whoIsSignedIn, {}));
    void showInformation(vscode.l10n.t('Signed in to Hugging Face as {0}.', name));
  } catch (error) {
    const code = failureOf(error)?.code;
    const reason = error instanceof Error ? error.message : String(error);
    if (code === 'hub.unauthorized' || code === 'hub.forbidden') {
      await secrets.keep(before);
      let isSignedIn = false;
      const title = vscode.l10n.t('Sign in to Hugging Face…');
      const run = async (): Promise<void> => {
        isSignedIn = await signIn(secrets, server);
      };
      await showError(reason, { title, run });
      return isSignedIn;
    }
    void showWarning(vscode.l10n.t('The token is kept, and could not be checked: {0}', reason));
  }
  return true;
}
