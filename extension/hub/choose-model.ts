import * as vscode from 'vscode';
import type { HubEntry } from '../../engine/hub/search-hub.ts';
import { formatBytes } from '../../server/format.ts';
import {
  estimateStarter,
  listGguf,
  lookAtModel,
  type ModelOutlook,
  type Starters,
} from '../../server/protocol/hub.ts';
import { type FoundModel, listModels } from '../../server/protocol/models.ts';
import type { RequestMessage } from '../../server/rpc/message.ts';
import { modelFolders } from '../models/model-folders.ts';
import { showProgress } from '../show/notifications.ts';
import { pick } from '../show/quick-input.ts';
import type { BACK, StepPlace } from '../show/quick-steps.ts';
import { type ChosenModel, modelHere } from './chosen-input.ts';
import { AGAIN, type HubPickContext, type HubRow, pickFromHub, type Taken } from './hub-pick.ts';
import { described, downloadsText, licenceName, needsNf4, verdict } from './hub-texts.ts';

/** A row of the list of models. */
export type ModelRow = HubRow<ChosenModel>;

/** What is said around the list of models. */
export interface ModelQuestion {
  readonly title: string;
  readonly placeHolder: string;
  /** A path as people read it. */
  readonly shownPath: (path: string) => string;
  /** Behind the models of this machine. */
  readonly here: readonly ModelRow[];
  readonly elsewhere: readonly ModelRow[];
}

/**
 * Asks for a base model: one of this machine, a well-known one by its size, or one that the Hub finds
 * by its name; each with what it takes to train it.
 */
export function chooseFromModels(
  context: HubPickContext,
  place: StepPlace | undefined,
  { title, placeHolder, shownPath, here, elsewhere }: ModelQuestion,
): Promise<ChosenModel | typeof BACK | undefined> {
  const { server } = context;
  const found = server.ask(listModels, { folders: modelFolders() });
  const rows = new ModelRows(context, shownPath);
  return pickFromHub<ChosenModel>(context, place, {
    kind: 'model',
    title,
    placeHolder,
    here: found.then((models) => [
      ...models.filter(({ problem }) => problem === null).map((model) => rows.here(model)),
      ...here,
    ]),
    elsewhere,
    starters: ({ models }) => models.map((model) => rows.starter(model)),
    found: (entry) => rows.found(entry),
  });
}

class ModelRows {
  readonly #context: HubPickContext;
  readonly #shownPath: (path: string) => string;

  constructor(context: HubPickContext, shownPath: (path: string) => string) {
    this.#context = context;
    this.#shownPath = shownPath;
  }

  here(model: FoundModel): ModelRow {
    const { name, path, bytes } = model;
    const here = modelHere(model);
    let outlook: ModelOutlook | undefined;
    return {
      key: path,
      icon: 'database',
      label: name,
      description: described(
        formatBytes(bytes),
        'hub' in here.input ? vscode.l10n.t('Hugging Face cache') : this.#shownPath(path),
      ),
      look: async () => {
        outlook = await this.#context.server.ask(lookAtModel, { name: path });
        return verdict(outlook.memory);
      },
      take: async () => ({ ...here, nf4: outlook !== undefined && needsNf4(outlook.memory) }),
    };
  }

  starter({ name, licence, isGated, bytes }: Starters['models'][number]): ModelRow {
    return {
      key: name,
      icon: 'cloud-download',
      label: name,
      description: described(formatBytes(bytes), licenceName(licence), isGated && onRequest()),
      look: async () => verdict(await this.#context.server.ask(estimateStarter, { name })),
      take: () => this.#take(name),
    };
  }

  found({ name, licence, isGated, downloads, bytes, isGguf }: HubEntry): ModelRow {
    const row = {
      key: name,
      icon: 'cloud-download',
      label: name,
      description: described(
        isGguf ? 'GGUF' : bytes !== null && formatBytes(bytes),
        licenceName(licence),
        isGated && onRequest(),
        downloadsText(downloads),
      ),
    };
    if (isGguf) return { ...row, take: () => this.#takeGguf(name) };
    let outlook: ModelOutlook | undefined;
    return {
      ...row,
      look: async () => {
        outlook = await this.#context.server.ask(lookAtModel, { name });
        return verdict(outlook.memory);
      },
      take: async () => (outlook === undefined ? this.#take(name) : chosen(name, outlook)),
    };
  }

  /** One of several files of a model. */
  async #takeGguf(name: string): Promise<Taken<ChosenModel>> {
    const files = await this.#looking(name, listGguf);
    const rows = files.map(({ file, bytes }) => ({
      ...{ icon: 'file', label: file, description: formatBytes(bytes), file },
    }));
    const picked = await pick(rows, {
      title: vscode.l10n.t('Which file of {0}?', name),
      placeHolder: vscode.l10n.t('Its weights are unpacked to 16 bits when it is trained on'),
    });
    if (picked === undefined) return AGAIN;
    return { input: { hub: `${name}:${picked.file}` }, isHere: false, nf4: false };
  }

  /** Whether it can be had and trained is asked before anything is made of it. */
  async #take(name: string): Promise<Taken<ChosenModel>> {
    return chosen(name, await this.#looking(name, lookAtModel));
  }

  #looking<Result>(
    name: string,
    question: RequestMessage<{ name: string }, Result>,
  ): Thenable<Result> {
    const title = vscode.l10n.t('Looking at {0}…', name);
    return showProgress({ title }, () => this.#context.server.ask(question, { name }));
  }
}

function chosen(name: string, { memory }: ModelOutlook): ChosenModel {
  return { input: { hub: name }, isHere: false, nf4: needsNf4(memory) };
}

function onRequest(): string {
  return vscode.l10n.t('access on request');
}
