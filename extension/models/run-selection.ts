import * as vscode from 'vscode';
import { type FolderMove, movedPath } from '../folder-move.ts';
import type { ServerLink } from '../server-link.ts';
import { showInformation, showProgress } from '../show/notifications.ts';
import { pick } from '../show/quick-input.ts';
import { chooseAdapter } from './choose-adapter.ts';
import { readCatalog, type UsableAdapter } from './model-catalog.ts';
import { StreamedInsertion } from './streamed-insertion.ts';
import type { TextGeneration } from './text-generation.ts';

/** More than any answer that one wants inside a text. */
const MAX_NEW_TOKENS = 1024;

type Place = 'below' | 'replace';

/** What was chosen the last time. */
interface Chosen {
  /** Folder of the adapter. */
  readonly adapter: string;
  readonly place: Place;
}

const KEY = 'lorafa.runSelection';

/**
 * Gives the selected text to an adapter and streams the answer into the editor, below the selection
 * or in its place. Both are asked for once and remembered for the workspace. What goes wrong is thrown
 * as Error or as the server's error answer, with a sentence for people.
 */
export class SelectionRunner {
  readonly #server: ServerLink;
  readonly #generation: TextGeneration;
  readonly #memory: vscode.Memento;

  constructor(server: ServerLink, generation: TextGeneration, memory: vscode.Memento) {
    this.#server = server;
    this.#generation = generation;
    this.#memory = memory;
  }

  /** Takes what was chosen the last time, as long as it is there. */
  async run(): Promise<void> {
    const chosen = this.#memory.get<Chosen>(KEY);
    const { adapters } = await readCatalog(this.#server);
    const adapter = adapters.find(({ path }) => path === chosen?.adapter);
    if (chosen === undefined || adapter === undefined) return this.runWith();
    const editor = editorWithSelection();
    if (editor !== undefined) await answer(this.#generation, editor, adapter, chosen.place);
  }

  /** The adapter that was chosen the last time has another name, perhaps. */
  async follow(move: FolderMove): Promise<void> {
    const chosen = this.#memory.get<Chosen>(KEY);
    if (chosen === undefined) return;
    const adapter = movedPath(chosen.adapter, move);
    await this.#memory.update(KEY, { ...chosen, adapter } satisfies Chosen);
  }

  /** Asks for adapter and place. */
  async runWith(): Promise<void> {
    const editor = editorWithSelection();
    if (editor === undefined) return;
    const title = vscode.l10n.t('Run through which adapter?');
    const adapter = await chooseAdapter(this.#server, undefined, title);
    if (adapter === undefined) return;
    if (adapter.model === null) throw new Error(missingModel(adapter));
    const place = await choosePlace();
    if (place === undefined) return;
    await this.#memory.update(KEY, { adapter: adapter.path, place } satisfies Chosen);
    await answer(this.#generation, editor, adapter, place);
  }
}

function editorWithSelection(): vscode.TextEditor | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor !== undefined && !editor.selection.isEmpty) return editor;
  void showInformation(vscode.l10n.t('Select the text to answer first.'));
  return undefined;
}

/** All of the answer is one step to undo, see {@link StreamedInsertion}; cancelling keeps what there is. */
async function answer(
  generation: TextGeneration,
  editor: vscode.TextEditor,
  adapter: UsableAdapter,
  place: Place,
): Promise<void> {
  const { model, quantization } = adapter;
  if (model === null) throw new Error(missingModel(adapter));
  const { selection } = editor;
  const text = editor.document.getText(selection);
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

async function choosePlace(): Promise<Place | undefined> {
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
