import * as vscode from 'vscode';
import { downloadModel, downloadProgress } from '../../server/protocol.ts';
import { reportFailure } from '../report-failure.ts';
import { type ProgressNews, showInformation, showProgress } from '../show/notifications.ts';
import { BACK } from '../show/quick-steps.ts';
import { withRelativePaths } from '../show/relative-paths.ts';
import { chooseFromModels } from './choose-model.ts';
import type { ChosenModel } from './chosen-input.ts';
import type { HubPickContext } from './hub-pick.ts';

/** What follows when a model is there. */
export interface GotModel {
  /** Looks at the disk again for what the views show. */
  refresh(): Promise<void>;
  /** Makes a run configuration of it. */
  configure(model: ChosenModel): Promise<void>;
}

/** *Get a Model…*: one that is chosen is downloaded, and a run of it can be configured. */
export class GetModel {
  readonly #context: HubPickContext;
  readonly #then: GotModel;
  readonly #downloads = new Map<string, ProgressNews>();

  constructor(context: HubPickContext, then: GotModel) {
    this.#context = context;
    this.#then = then;
    context.server.listen(downloadProgress, ({ name, text }) =>
      this.#downloads.get(name)?.report(text),
    );
  }

  async run(): Promise<void> {
    const { log } = this.#context;
    try {
      const model = await chooseFromModels(this.#context, undefined, {
        title: vscode.l10n.t('Get a model'),
        placeHolder: vscode.l10n.t(
          'Choose a model by its size, or type a name to search Hugging Face',
        ),
        shownPath: withRelativePaths,
        here: [],
        elsewhere: [],
      });
      if (model === undefined || model === BACK) return;
      if (model.isHere) await this.#then.configure(model);
      else if ('hub' in model.input) await this.#download(model.input.hub, model);
    } catch (error) {
      reportFailure(error, log);
    }
  }

  async #download(name: string, model: ChosenModel): Promise<void> {
    const title = vscode.l10n.t('Getting {0}', name);
    const isThere = await showProgress({ title, cancellable: true }, async (news, token) => {
      this.#downloads.set(name, news);
      try {
        await this.#context.server.ask(downloadModel, { name }, token);
        return true;
      } catch (error) {
        if (token.isCancellationRequested) return false;
        throw error;
      } finally {
        this.#downloads.delete(name);
      }
    });
    if (!isThere) return;
    await this.#then.refresh();
    await showInformation(vscode.l10n.t('{0} is on this machine.', name), {
      title: vscode.l10n.t('New Run Configuration'),
      run: () => this.#then.configure({ ...model, isHere: true }),
    });
  }
}
