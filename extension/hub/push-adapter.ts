import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { formatBytes } from '../../server/format.ts';
import { planPush, pushProgress, pushAdapter as pushRequest } from '../../server/protocol/hub.ts';
import { requireAdapter } from '../../server/protocol/models.ts';
import type { ShownCard, ShownPush } from '../../server/publish/plan-push.ts';
import { repositoryProblem } from '../../server/publish/push-names.ts';
import { chooseAdapter } from '../models/choose-adapter.ts';
import { withSignIn } from '../report-failure.ts';
import type { Reports } from '../reports/reports.ts';
import { failureOf, type ServerLink } from '../server-link.ts';
import {
  type Choice,
  decide,
  type ProgressNews,
  showInformation,
  showProgress,
} from '../show/notifications.ts';
import { askForText, type PickRow, pick } from '../show/quick-input.ts';

/** What is asked of the server about a push. */
interface PushQuestion {
  readonly folder: string;
  readonly repository: string;
  readonly isPrivate: boolean | null;
}

/** What would be sent as an answer to it. */
interface PlannedPush {
  readonly question: PushQuestion;
  readonly shown: ShownPush;
}

/** Pushes adapters, and those of checkpoints, to the Hugging Face Hub. */
export class AdapterPushes {
  readonly #server: ServerLink;
  readonly #reports: Pick<Reports, 'show'>;
  /** Who is told of each push that goes on. */
  readonly #news = new Map<string, ProgressNews>();

  /** @param reports show the card that would be sent */
  constructor(server: ServerLink, reports: Pick<Reports, 'show'>) {
    this.#server = server;
    this.#reports = reports;
    server.listen(pushProgress, ({ id, text }) =>
      this.#news.get(id)?.report(text ?? vscode.l10n.t('all is sent; the commit is being made')),
    );
  }

  /**
   * Pushes an adapter to a repository that the user names, once they have seen what would be sent.
   *
   * @param arg see {@link chooseAdapter}
   * @throws Error or the server's error answer, with a sentence for people
   */
  async run(arg: unknown): Promise<void> {
    const adapter = await chooseAdapter(
      this.#server,
      arg,
      vscode.l10n.t('Push which adapter to the Hugging Face Hub?'),
    );
    if (adapter === undefined) return;
    const { path: folder, name } = adapter;
    await this.#server.ask(requireAdapter, { folder });
    const repository = await askForRepository(name);
    if (repository === undefined) return;
    const planned = await this.#plan({ folder, repository, isPrivate: null });
    if (planned === undefined) return;
    const { shown } = planned;
    if (sentFiles(shown) === 0) {
      const text = vscode.l10n.t('All of it is in {0} already.', shown.repository);
      await showInformation(text, openPage(shown));
      return;
    }
    if (!(await this.#isWanted(shown))) return;
    const pushed = await this.#pushWanted(planned);
    if (pushed === undefined) return;
    await showInformation(
      vscode.l10n.t('{0} is on the Hugging Face Hub: {1}', name, pushed.page),
      openPage(pushed),
    );
  }

  /** Asks whether it shall be sent; the card can be read before. */
  async #isWanted(shown: ShownPush): Promise<boolean> {
    const { card, repository } = shown;
    const [question, lines] = [questionOf(shown), linesOf(shown)];
    const [push, read] = [vscode.l10n.t('Push'), vscode.l10n.t('Read Model Card')];
    const actions = card === null ? [push] : [push, read];
    for (;;) {
      const chosen = await decide(question, actions, lines);
      if (card === null || chosen !== read) return chosen === push;
      // A document's name ends where a folder would begin.
      const name = repository.split('/').at(-1)!;
      await this.#reports.show(vscode.l10n.t('Model Card of {0}', name), markdownOf(card));
      // A dialog would stand before the card.
      const rows = [
        { icon: 'cloud-upload', label: push, detail: question, isWanted: true },
        {
          ...{ icon: 'list-unordered', isWanted: undefined },
          label: vscode.l10n.t('Show What Is Sent'),
          // Who can read it.
          detail: lines[0]!,
        },
        { icon: 'close', label: vscode.l10n.t('Send Nothing'), isWanted: false },
      ];
      const title = vscode.l10n.t('Push {0} with this card?', repository);
      const row = await pick(rows, { title, ignoreFocusOut: true });
      if (row === undefined) return false;
      if (row.isWanted !== undefined) return row.isWanted;
    }
  }

  /**
   * Pushes what the user has agreed to. Where that takes another token, it goes on once there is one, and is asked for again
   * only where something else would be sent by then.
   *
   * @returns what was pushed; undefined: nothing
   */
  #pushWanted(wanted: PlannedPush): Promise<ShownPush | undefined> {
    let [planned, isRefused]: [PlannedPush, boolean] = [wanted, false];
    return withSignIn(async () => {
      if (isRefused) {
        const now = await this.#plan(planned.question);
        if (now === undefined) return undefined;
        const isSame = now.shown.digest === planned.shown.digest;
        if (!isSame && !(await this.#isWanted(now.shown))) return undefined;
        planned = now;
      }
      isRefused = true;
      return (await this.#push(planned)) ? planned.shown : undefined;
    });
  }

  /** Finds out what would be sent, and who may read a repository that is made; undefined: not at all. */
  async #plan(question: PushQuestion): Promise<PlannedPush | undefined> {
    const shown = await this.#ask(question);
    if (shown === undefined) return undefined;
    if (!shown.isNew || question.isPrivate !== null) return { question, shown };
    const row = await pick(visibilityRows(), {
      title: vscode.l10n.t('Who may read the new repository {0}?', shown.repository),
    });
    return row && this.#plan({ ...question, isPrivate: row.isPrivate });
  }

  #ask(question: PushQuestion): Promise<ShownPush | undefined> {
    const title = vscode.l10n.t('Looking at {0} on the Hugging Face Hub', question.repository);
    return withSignIn(() =>
      showProgress({ title, cancellable: true }, (_, token) =>
        this.#server.ask(planPush, question, token).catch(unlessCancelled(token)),
      ),
    );
  }

  /** @returns whether it was not cancelled */
  async #push({ question, shown: { repository, digest } }: PlannedPush): Promise<boolean> {
    const title = vscode.l10n.t('Pushing to {0}', repository);
    const id = randomUUID();
    const result = await showProgress({ title, cancellable: true }, async (news, token) => {
      this.#news.set(id, news);
      try {
        return await this.#server.ask(pushRequest, { ...question, id, digest }, token);
      } catch (error) {
        if (!token.isCancellationRequested) throw error;
        const isSaid = failureOf(error)?.code === 'hub.cancelled' && error instanceof Error;
        // It says in what state it has left the repository.
        void showInformation(
          isSaid ? error.message : vscode.l10n.t('The push to {0} was cancelled.', repository),
        );
        return undefined;
      } finally {
        this.#news.delete(id);
      }
    });
    return result !== undefined;
  }
}

/** The button that leads to a repository. */
function openPage({ page }: ShownPush): Choice {
  return {
    title: vscode.l10n.t('Open Page'),
    run: () => vscode.env.openExternal(vscode.Uri.parse(page)),
  };
}

/** What was cancelled has failed for no reason that anybody wants to know. */
function unlessCancelled(token: vscode.CancellationToken): (error: unknown) => undefined {
  return (error) => {
    if (token.isCancellationRequested) return undefined;
    throw error;
  };
}

function askForRepository(adapter: string): Thenable<string | undefined> {
  return askForText({
    title: vscode.l10n.t('Push {0} to the Hugging Face Hub', adapter),
    prompt: vscode.l10n.t('The repository: owner/name, or a name of your own'),
    value: proposedName(adapter),
    problemOf: repositoryProblem,
  });
}

/** The adapter's name with what a repository's takes; one may still have to change it. */
function proposedName(adapter: string): string {
  const name = adapter
    .replaceAll(/[^\w.-]+/g, '-')
    .replaceAll(/([.-])[.-]+/g, '$1')
    .slice(0, 96)
    .replaceAll(/^[-.]+|[-.]+$/g, '');
  return name === '' ? 'my-adapter' : name;
}

/** A card as it will be read on the Hub: with its picture, which lies beside it there. */
function markdownOf({ text, curve }: ShownCard): string {
  if (curve === null) return text;
  const picture = `data:image/svg+xml;base64,${Buffer.from(curve).toString('base64')}`;
  return text.replaceAll('(loss-curve.svg)', `(${picture})`);
}

function visibilityRows(): readonly (PickRow & { readonly isPrivate: boolean })[] {
  return [
    {
      ...{ icon: 'lock', isPrivate: true },
      label: vscode.l10n.t('Private'),
      detail: vscode.l10n.t('Only you, or your organization'),
    },
    {
      ...{ icon: 'globe', isPrivate: false },
      label: vscode.l10n.t('Public'),
      detail: vscode.l10n.t('Everybody'),
    },
  ];
}

function sentFiles({ files }: ShownPush): number {
  return files.filter(({ change }) => change === 'new' || change === 'replaced').length;
}

function questionOf(shown: ShownPush): string {
  const [count, bytes] = [sentFiles(shown), formatBytes(shown.bytes)];
  return count === 1
    ? vscode.l10n.t('Send 1 file ({0}) to {1}?', bytes, shown.page)
    : vscode.l10n.t('Send {0} files ({1}) to {2}?', count, bytes, shown.page);
}

/** What would be sent, to whom and as whom, a line each. */
function linesOf({ account, isNew, isPrivate, files, notes }: ShownPush): readonly string[] {
  const kinds = {
    new: vscode.l10n.t('new'),
    replaced: vscode.l10n.t('replaces what is there'),
    same: vscode.l10n.t('there already'),
    kept: vscode.l10n.t('stays as it is there'),
  };
  const repository = isNew
    ? isPrivate
      ? vscode.l10n.t('A new private repository, made as {0}.', account)
      : vscode.l10n.t('A new public repository, made as {0}: everybody can read it.', account)
    : isPrivate
      ? vscode.l10n.t('The repository is private.')
      : vscode.l10n.t('The repository is public: everybody can read it.');
  return [
    repository,
    ...files.map(({ path, size, change }) =>
      vscode.l10n.t('{0} ({1}): {2}', path, formatBytes(size), kinds[change]),
    ),
    ...notes,
  ];
}
