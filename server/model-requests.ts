import { defaultCacheFolder } from '../engine/cache-folder.ts';
import { hubCacheFolder } from '../engine/hub/hub-settings.ts';
import { requireWholeAdapter } from '../engine/lora/load-adapter.ts';
import { cacheEntries, emptyCache } from '../engine/weights/cache-entries.ts';
import { whileThere } from './adapters/gone-adapter.ts';
import { adapterContents, deleteAdapter, renameAdapter } from './adapters/keep-adapter.ts';
import { runCli } from './cli-process.ts';
import { readTraining } from './discovery/adapter-training.ts';
import { findAdapters } from './discovery/find-adapters.ts';
import { findModels } from './discovery/find-models.ts';
import { Generators } from './generator/generators.ts';
import type { InspectorClient } from './language/inspection/inspector-client.ts';
import {
  countTokens,
  generate,
  generationPiece,
  generationProgress,
} from './protocol/generation.ts';
import { emptyWeightCache, examineMachine, listWeightCache } from './protocol/machine.ts';
import {
  type AdapterFootprint,
  deleteAdapter as deleteRequest,
  describeTraining,
  listAdapters,
  listModels,
  lookForChatTemplate,
  measureAdapter,
  renameAdapter as renameRequest,
  requireAdapter,
} from './protocol/models.ts';
import { type NotificationSink, notify, type RequestSource, serve } from './rpc/serve.ts';
import { inOwnFolder } from './runs/own-folder.ts';
import type { FolderContents } from './runs/run-contents.ts';

/** What answers need. */
export interface ModelRequestOptions {
  readonly workspaceFolders: readonly string[];
  /** Folders of the workspace's runs, which may lie outside of it. */
  readonly runFolders: () => Promise<readonly string[]>;
  /** Looks at the files of models. */
  readonly inspector: Pick<InspectorClient, 'hasChatTemplate'>;
  /** The built `generator/main.ts`. */
  readonly generatorScript: string;
  /** The built `cli/main.ts`. */
  readonly cliScript: string;
}

/** Answers the client's requests about models, adapters and the machine. */
export function serveModels(
  connection: RequestSource & NotificationSink,
  { workspaceFolders, runFolders, inspector, generatorScript, cliScript }: ModelRequestOptions,
): Generators {
  const generators = new Generators(generatorScript);
  serve(connection, generate, ({ model, device, quantization, ...generation }, token) => {
    const { id, adapter } = generation;
    const write = () =>
      generators.generate({
        generation,
        choice: { model, device, quantization },
        token,
        onPiece: (text) => notify(connection, generationPiece, { id, text }),
        onProgress: (task, done, total) =>
          notify(connection, generationProgress, { id, task, done, total }),
      });
    return adapter === null ? write() : whileThere(adapter, write);
  });
  serve(connection, countTokens, ({ text, ...choice }, token) =>
    generators.countTokens(choice, text, token),
  );
  serve(connection, listModels, ({ folders }) =>
    findModels({ workspaceFolders, settingsFolders: folders, cacheFolder: hubCacheFolder() }),
  );
  serve(connection, listAdapters, async () =>
    findAdapters([...workspaceFolders, ...(await runFolders())]),
  );
  serve(connection, requireAdapter, async ({ folder }) => {
    await whileThere(folder, () => requireWholeAdapter(folder));
    return {};
  });
  serve(connection, measureAdapter, async ({ folder }) =>
    footprint(await adapterContents(folder, workspaceFolders)),
  );
  serve(connection, deleteRequest, async ({ folder }) =>
    footprint(await inOwnFolder(folder, () => deleteAdapter(folder, workspaceFolders))),
  );
  serve(connection, renameRequest, async ({ folder, name }) => ({
    folder: await inOwnFolder(folder, () => renameAdapter(folder, name, workspaceFolders)),
  }));
  serve(connection, describeTraining, ({ folder }) => readTraining(folder));
  serve(connection, lookForChatTemplate, ({ model, adapter }) =>
    inspector.hasChatTemplate(model, adapter),
  );
  serve(connection, listWeightCache, () => cacheEntries(defaultCacheFolder()));
  serve(connection, emptyWeightCache, () => emptyCache(defaultCacheFolder()));
  serve(connection, examineMachine, async (_nothing, token) => {
    return (await runCli(cliScript, ['doctor'], token)) as Readonly<Record<string, unknown>>;
  });
  return generators;
}

function footprint({ own, bytes, others }: FolderContents): AdapterFootprint {
  return { paths: own, bytes, others };
}
