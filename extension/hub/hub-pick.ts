import * as vscode from 'vscode';
import type { HubEntry } from '../../engine/hub/search-hub.ts';
import { listStarters, type Starters, searchHub } from '../../server/protocol/hub.ts';
import { COMMANDS } from '../ids.ts';
import { logFailure, reportFailure, signInChoices } from '../report-failure.ts';
import { failureOf, type ServerLink } from '../server-link.ts';
import { type LiveList, type LiveRow, pickLive } from '../show/live-pick.ts';
import { BACK, type PickHeading, type StepPlace } from '../show/quick-steps.ts';

/** Nothing was chosen yet: the list is shown again. */
export const AGAIN = Symbol('again');

/** What became of a choice: a value, to go back, the end of all, or that it is to be made again. */
export type Taken<Value> = Value | typeof BACK | typeof AGAIN | undefined;

/** A row, and what choosing it comes to. */
export interface HubRow<Value> extends LiveRow {
  take(): Promise<Taken<Value>>;
  /** What is found out about it while the list is looked at, for a line of its own. */
  look?(): Promise<string>;
}

/** What is chosen from: what is on this machine, what is proposed, and what the Hub finds. */
export interface HubQuestion<Value> {
  readonly kind: 'model' | 'dataset';
  readonly title: string;
  readonly placeHolder: string;
  readonly here: Promise<readonly HubRow<Value>[]>;
  /** Ways to look elsewhere on this machine. */
  readonly elsewhere: readonly HubRow<Value>[];
  starters(starters: Starters): readonly HubRow<Value>[];
  found(entry: HubEntry): HubRow<Value>;
}

/** What a list works with. */
export interface HubPickContext {
  readonly server: ServerLink;
  readonly log: vscode.LogOutputChannel;
}

/** Fewer letters are in too many names. */
const MIN_LETTERS = 2;

/** What is not about one repository. */
const AWAY: ReadonlySet<string> = new Set([
  'hub.rate_limited',
  'hub.unreachable',
  'hub.unavailable',
  'hub.offline',
]);

/**
 * Lets the user choose a model or data from this machine or the Hub. The Hub is asked for what is
 * typed, and for nothing before. What cannot be had is told, and the list is shown again.
 */
export async function pickFromHub<Value>(
  context: HubPickContext,
  place: StepPlace | undefined,
  question: HubQuestion<Value>,
): Promise<Value | typeof BACK | undefined> {
  let text = '';
  let ways: readonly HubRow<Value>[] = [];
  for (;;) {
    const lists = new Lists(context, question, ways);
    const picked = await pickLive<HubRow<Value>>(place, {
      title: question.title,
      placeHolder: question.placeHolder,
      text,
      fill: (list, token) => lists.fill(list, token, text),
      onText: (typed) => {
        text = typed;
        lists.search(typed);
      },
    });
    if (picked === undefined || picked === BACK) return picked;
    ways = [];
    try {
      const taken = await picked.take();
      if (taken !== AGAIN) return taken;
    } catch (error) {
      reportFailure(error, context.log);
      if (mayNeedToken(error)) ways = [signInRow(vscode.l10n.t('Sign in to Hugging Face…'))];
    }
  }
}

/** What a list shows at the moment. */
class Lists<Value> {
  readonly #context: HubPickContext;
  readonly #question: HubQuestion<Value>;
  /** What may help with a choice that failed. */
  readonly #ways: readonly HubRow<Value>[];
  readonly #details = new Map<string, string>();
  #list: LiveList<HubRow<Value>> | undefined;
  #token: vscode.CancellationToken | undefined;
  #here: readonly HubRow<Value>[] = [];
  #starters: readonly HubRow<Value>[] = [];
  #found: readonly HubRow<Value>[] = [];
  #isLoading = true;
  #isLooking = false;
  /** The Hub does not answer for now, and is asked no more about what it has found. */
  #isHubAway = false;
  #searching: vscode.CancellationTokenSource | undefined;

  constructor(
    context: HubPickContext,
    question: HubQuestion<Value>,
    ways: readonly HubRow<Value>[],
  ) {
    this.#context = context;
    this.#question = question;
    this.#ways = ways;
  }

  fill(list: LiveList<HubRow<Value>>, token: vscode.CancellationToken, text: string): void {
    this.#list = list;
    this.#token = token;
    token.onCancellationRequested(() => this.#searching?.cancel());
    this.search(text);
    void this.#load().finally(() => {
      this.#isLoading = false;
      this.#draw();
      void this.#look();
    });
  }

  /** Asks the Hub for a part of a name, in place of what was asked before. */
  search(text: string): void {
    this.#searching?.cancel();
    this.#searching = undefined;
    if (text.length < MIN_LETTERS) {
      this.#found = [];
      this.#draw();
      return;
    }
    this.#isHubAway = false;
    const searching = new vscode.CancellationTokenSource();
    this.#searching = searching;
    this.#draw();
    void this.#search(text, searching.token).then((rows) => {
      if (searching.token.isCancellationRequested) return;
      this.#searching = undefined;
      this.#found = rows;
      this.#draw();
      void this.#look();
    });
  }

  async #load(): Promise<void> {
    try {
      const [here, starters] = await Promise.all([
        this.#question.here,
        this.#context.server.ask(listStarters, {}),
      ]);
      this.#here = here;
      this.#starters = this.#question.starters(starters);
    } catch (error) {
      logFailure(error, this.#context.log);
    }
  }

  async #search(text: string, token: vscode.CancellationToken): Promise<readonly HubRow<Value>[]> {
    const { kind, found } = this.#question;
    try {
      const entries = await this.#context.server.ask(searchHub, { kind, text }, token);
      return entries.length > 0
        ? entries.map((entry) => ({ ...found(entry), isFound: true }))
        : [nothingRow(kind, text)];
    } catch (error) {
      if (!token.isCancellationRequested) logFailure(error, this.#context.log);
      return [failureRow(error)];
    }
  }

  /** Finds out about the rows, one after the other, those of a search first. */
  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    for (;;) {
      const rows = [...(this.#isHubAway ? [] : this.#found), ...this.#here, ...this.#starters];
      const next = rows.find(({ key, look }) => look !== undefined && !this.#details.has(key));
      if (next === undefined || this.#token?.isCancellationRequested) break;
      const detail = await next.look!().catch((error: unknown) => {
        this.#isHubAway ||= AWAY.has(failureOf(error)?.code ?? '');
        return problemOf(error);
      });
      this.#details.set(next.key, detail);
      this.#draw();
    }
    this.#isLooking = false;
  }

  #draw(): void {
    if (this.#token?.isCancellationRequested) return;
    this.#list?.setBusy(this.#isLoading || this.#searching !== undefined);
    const shown = new Set([...this.#found, ...this.#here].map(({ label }) => label));
    const starters = this.#starters.filter(({ label }) => !shown.has(label));
    this.#list?.show([
      ...this.#ways,
      ...this.#below(vscode.l10n.t('on this machine'), [
        ...this.#here,
        ...(this.#isLoading ? [] : this.#question.elsewhere),
      ]),
      ...this.#below(vscode.l10n.t('found on Hugging Face'), this.#found),
      ...this.#below(vscode.l10n.t('Hugging Face'), starters),
    ]);
  }

  #below(
    heading: string,
    rows: readonly HubRow<Value>[],
  ): readonly (HubRow<Value> | PickHeading)[] {
    if (rows.length === 0) return [];
    const drawn = rows.map((row) => {
      const detail = this.#details.get(row.key);
      if (detail !== undefined) return { ...row, detail };
      const isNext = row.look !== undefined && !(this.#isHubAway && row.isFound);
      // A line that is there from the start moves nothing when it is known.
      return isNext ? { ...row, detail: vscode.l10n.t('Estimating its memory…') } : row;
    });
    return [{ heading }, ...drawn];
  }
}

/** Why nothing is known of a row, in a line; all of it is told when it is chosen. */
function problemOf(error: unknown): string {
  if (mayNeedToken(error)) return vscode.l10n.t('Choose it to ask for access, or to sign in');
  return error instanceof Error ? error.message : String(error);
}

function nothingRow<Value>(kind: HubQuestion<Value>['kind'], text: string): HubRow<Value> {
  return {
    key: 'nothing',
    isFound: true,
    icon: 'info',
    label:
      kind === 'model'
        ? vscode.l10n.t('No model with “{0}” in its name can be trained here', text)
        : vscode.l10n.t('No data with “{0}” in their name can be read here', text),
    take: async () => AGAIN,
  };
}

/** Why nothing was found; choosing it does what may help. */
function failureRow<Value>(error: unknown): HubRow<Value> {
  const detail = error instanceof Error ? error.message : String(error);
  if (mayNeedToken(error)) {
    return { ...signInRow(vscode.l10n.t('Sign in to Hugging Face to search it…')), detail };
  }
  return {
    key: 'failure',
    isFound: true,
    icon: 'warning',
    label: vscode.l10n.t('Hugging Face could not be searched; try again'),
    detail,
    take: async () => AGAIN,
  };
}

function signInRow<Value>(label: string): HubRow<Value> {
  return {
    ...{ key: 'sign-in', isFound: true, icon: 'key', label },
    take: async () => {
      await vscode.commands.executeCommand(COMMANDS.signIn);
      return AGAIN;
    },
  };
}

function mayNeedToken(error: unknown): boolean {
  return signInChoices(failureOf(error)?.code).length > 0;
}
