import * as vscode from 'vscode';
import type { ServerLink } from '../server-link.ts';
import { showInformation, showProgress } from '../show/notifications.ts';
import { pick } from '../show/quick-input.ts';
import { chooseAdapter } from './choose-adapter.ts';
import type { UsableAdapter } from './model-catalog.ts';
import { StreamedInsertion } from './streamed-insertion.ts';
import type { TextGeneration } from './text-generation.ts';

/** More than any answer that one wants inside a text. */
const MAX_NEW_TOKENS = 1024;

/**
 * Gives the selected text to an adapter and streams the answer into the editor, below the selection
 * or in its place. All of it is one step to undo, see {@link StreamedInsertion}; cancelling keeps what there is.
 *
 * @throws Error or the server's error answer, with a sentence for people
 */
export async function runSelection(server: ServerLink, generation: TextGeneration): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || editor.selection.isEmpty) {
    void showInformation(vscode.l10n.t('Select the text to answer first.'));
    return;
  }
  const { selection } = editor;
  const text = editor.document.getText(selection);
  const adapter = await chooseAdapter(
    server,
    undefined,
    vscode.l10n.t('Run through which adapter?'),
  );
  if (adapter === undefined) return;
  const { model, quantization } = adapter;
  if (model === null) throw new Error(missingModel(adapter));
  const place = await choosePlace();
  if (place === undefined) return;

  const insertion = new StreamedInsertion(editor, selection, place);
  const title = vscode.l10n.t('{0} is writing…', adapter.name);
  await showProgress({ title, cancellable: true }, (progress, token) =>
    generation
      .write(
        {
          model,
          adapter: adapter.path,
          device: 'auto',
          quantization,
          prompt: { turn: text },
          options: { max_new_tokens: MAX_NEW_TOKENS },
        },
        {
          onPiece: (piece) => {
            progress.report('');
            insertion.add(piece);
          },
          onLoading: (share) =>
            progress.report(vscode.l10n.t('loading the model, {0}%', Math.round(100 * share))),
        },
        token,
      )
      .finally(() => insertion.finish()),
  );
}

/** Why an adapter cannot be used. */
export function missingModel({ name, baseModel }: UsableAdapter): string {
  return baseModel === null
    ? vscode.l10n.t('The adapter {0} does not say which base model it is for.', name)
    : vscode.l10n.t(
        'The base model {0} of the adapter {1} is not on this machine; put its folder into the workspace or into the setting lorafa.models.folders.',
        baseModel,
        name,
      );
}

async function choosePlace(): Promise<'below' | 'replace' | undefined> {
  const picked = await pick(
    [
      {
        icon: 'arrow-down',
        label: vscode.l10n.t('Insert below the selection'),
        place: 'below' as const,
      },
      {
        icon: 'replace',
        label: vscode.l10n.t('Replace the selection'),
        place: 'replace' as const,
      },
    ],
    { title: vscode.l10n.t('Where does the answer go?') },
  );
  return picked?.place;
}
