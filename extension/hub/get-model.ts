import * as vscode from 'vscode';
import { downloadModel, downloadProgress } from '../../server/protocol/hub.ts';
import { reportFailure } from '../report-failure.ts';
import { failureOf } from '../server-link.ts';
import {
  type ProgressNews,
  showInformation,
  showProgress,
  showWarning,
} from '../show/notifications.ts';
import { BACK } from '../show/quick-steps.ts';
import { withRelativePaths } from '../show/relative-paths.ts';
import { UnderWay } from '../show/under-way.ts';
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

/** A download, as it is remembered while it goes on. */
interface Download {
  readonly name: string;
  readonly nf4: boolean;
}

/** *Get a Model…*: one that is chosen is downloaded, and a run of it can be configured. */
export class GetModel {
  readonly #context: HubPickContext;
  readonly #then: GotModel;
  readonly #underWay: UnderWay<Download>;
  readonly #downloads = new Map<string, ProgressNews>();

  /** @param memory of this window, from one session to the next */
  constructor(context: HubPickContext, memory: vscode.Memento, then: GotModel) {
    this.#context = context;
    this.#underWay = new UnderWay(memory, 'lorafa.downloads');
    this.#then = then;
    context.server.listen(downloadProgress, ({ name, text }) =>
      this.#downloads.get(name)?.report(text),
    );
  }

  /** Offers to go on with what was under way when the window was last closed or reloaded. */
  async offerInterrupted(): Promise<void> {
    for (const { name, nf4 } of await this.#underWay.interrupted()) {
      const message = vscode.l10n.t(
        'Getting {0} ended when the window was closed or reloaded; what has come of it is kept.',
        name,
      );
      const model = { input: { hub: name }, isHere: false, nf4 };
      const goOn = () => this.#attempt(() => this.#download(name, model));
      void showWarning(message, { title: vscode.l10n.t('Go On'), run: goOn });
    }
  }

  run(): Promise<void> {
    return this.#attempt(async () => {
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
    });
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      reportFailure(error, this.#context.log);
    }
  }

  async #download(name: string, model: ChosenModel): Promise<void> {
    const title = vscode.l10n.t('Getting {0}', name);
    const isThere = await showProgress({ title, cancellable: true }, async (news, token) => {
      this.#downloads.set(name, news);
      await this.#underWay.begin({ name, nf4: model.nf4 });
      try {
        await this.#context.server.ask(downloadModel, { name }, token);
        await this.#underWay.end(name);
        return true;
      } catch (error) {
        const isCancelled = token.isCancellationRequested;
        // Without an answer of the server, the window may be closing.
        if (isCancelled || failureOf(error) !== undefined) await this.#underWay.end(name);
        if (isCancelled) return false;
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
