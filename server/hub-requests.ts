import { STARTER_DATA } from '../engine/data/starter-data.ts';
import { lookingSession } from '../engine/hub/connect.ts';
import { giveHubToken } from '../engine/hub/hub-token.ts';
import { giveProxy } from '../engine/hub/proxy.ts';
import { searchHub as search } from '../engine/hub/search-hub.ts';
import { whoAmI } from '../engine/hub/who-am-i.ts';
import { ggufFiles } from '../engine/inputs/gguf-files.ts';
import { STARTER_MODELS } from '../engine/models/starter-models.ts';
import { InspectorClient } from './language/inspection/inspector-client.ts';
import {
  downloadModel,
  downloadProgress,
  estimateStarter,
  hubTokenGiven,
  listGguf,
  listStarters,
  lookAtData,
  lookAtModel,
  proxyGiven,
  searchHub,
  whoIsSignedIn,
} from './protocol/hub.ts';
import {
  heed,
  type NotificationSink,
  type NotificationSource,
  notify,
  type RequestSource,
  serve,
} from './rpc/serve.ts';

/** Milliseconds that a look at something may take; then its process is ended, whatever it does. */
const LOOK_MS = 90_000;

/** How long the process for looks waits for the next one. */
const IDLE_MS = 30_000;

/**
 * Takes the user's access token for the Hugging Face Hub and the way to it, and answers what is asked of the Hub.
 *
 * @param inspectorScript the built `language/inspection/inspector-process.ts`
 * @returns what ends the processes
 */
export function serveHub(
  connection: RequestSource & NotificationSource & NotificationSink,
  inspectorScript: string,
): { dispose(): Promise<void> } {
  const looks = new Looks(inspectorScript);
  const downloads = new Set<InspectorClient>();
  heed(connection, hubTokenGiven, ({ token }) => giveHubToken(token ?? undefined));
  heed(connection, proxyGiven, ({ proxy, except }) => giveProxy(proxy ?? undefined, except));
  serve(connection, whoIsSignedIn, () => whoAmI());
  serve(connection, searchHub, async ({ kind, text }, token) => {
    const abort = new AbortController();
    const cancelled = token.onCancellationRequested(() => abort.abort());
    try {
      return await search(kind, text, (await lookingSession({ signal: abort.signal })).connection);
    } catch (error) {
      // Nobody waits for it.
      if (abort.signal.aborted) return [];
      throw error;
    } finally {
      cancelled.dispose();
    }
  });
  serve(connection, lookAtModel, ({ name }) => looks.ask((process) => process.lookAtModel(name)));
  serve(connection, listStarters, () => ({
    models: STARTER_MODELS.map(({ config: _, ...starter }) => starter),
    data: STARTER_DATA,
  }));
  serve(connection, estimateStarter, ({ name }) =>
    looks.ask((process) => process.estimateStarter(name)),
  );
  serve(connection, listGguf, ({ name }) => ggufFiles(name));
  serve(connection, lookAtData, ({ name }) => looks.ask((process) => process.lookAtData(name)));
  serve(connection, downloadModel, async ({ name }, token) => {
    const inspector = new InspectorClient(inspectorScript);
    downloads.add(inspector);
    const cancelled = token.onCancellationRequested(() => inspector.dispose());
    try {
      return await inspector.downloadModel(name, (text) =>
        notify(connection, downloadProgress, { name, text }),
      );
    } finally {
      cancelled.dispose();
      downloads.delete(inspector);
      await inspector.dispose();
    }
  });
  return {
    dispose: async () => {
      await Promise.all([looks.dispose(), ...[...downloads].map((each) => each.dispose())]);
    },
  };
}

/** Looks at files of strangers in a process that is there as long as somebody looks. */
class Looks {
  readonly #inspector: InspectorClient;
  #waiting = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(inspectorScript: string) {
    this.#inspector = new InspectorClient(inspectorScript);
  }

  async ask<Result>(look: (inspector: InspectorClient) => Promise<Result>): Promise<Result> {
    clearTimeout(this.#idle);
    this.#waiting += 1;
    const limit = setTimeout(() => this.#inspector.dispose(), LOOK_MS);
    try {
      return await look(this.#inspector);
    } finally {
      clearTimeout(limit);
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#idle = setTimeout(() => this.#inspector.dispose(), IDLE_MS);
    }
  }

  dispose(): Promise<void> {
    clearTimeout(this.#idle);
    return this.#inspector.dispose();
  }
}
