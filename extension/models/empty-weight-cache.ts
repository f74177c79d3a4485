import * as vscode from 'vscode';
import { formatBytes } from '../../server/format.ts';
import { emptyWeightCache, listWeightCache } from '../../server/protocol/machine.ts';
import type { ServerLink } from '../server-link.ts';
import { confirm, showInformation, showProgress } from '../show/notifications.ts';

/**
 * Removes the weights that were unpacked or quantized and that nothing uses, when the user has seen
 * how much they take.
 *
 * @throws the server's error answer
 */
export async function emptyCacheOfWeights(server: ServerLink): Promise<void> {
  const entries = await server.ask(listWeightCache, {});
  const unused = entries.filter(({ isInUse }) => !isInUse);
  if (unused.length === 0) {
    const text =
      entries.length === 0
        ? vscode.l10n.t('The weight cache is empty.')
        : vscode.l10n.t('All weights in the cache are in use.');
    void showInformation(text);
    return;
  }
  const isAgreed = await confirm(
    vscode.l10n.t('Empty the weight cache?'),
    vscode.l10n.t('Remove {0}', sizeOf(unused)),
    [
      vscode.l10n.t(
        'Unpacked or quantized weights of {0} are removed. They are made again when a run needs them.',
        [...new Set(unused.map(({ model }) => model))].join(', '),
      ),
      ...(unused.length < entries.length ? [vscode.l10n.t('What is in use now stays.')] : []),
    ].join(' '),
  );
  if (!isAgreed) return;
  const title = vscode.l10n.t('Emptying the weight cache…');
  const { removed } = await showProgress({ title }, () => server.ask(emptyWeightCache, {}));
  void showInformation(vscode.l10n.t('{0} of weights were removed.', sizeOf(removed)));
}

function sizeOf(entries: readonly { readonly bytes: number }[]): string {
  return formatBytes(entries.reduce((sum, { bytes }) => sum + bytes, 0));
}
