import { runCli } from './cli-process.ts';
import { findAdapters } from './discovery/find-adapters.ts';
import { findModels, huggingFaceCache } from './discovery/find-models.ts';
import { Generators } from './generator/generators.ts';
import {
  type DataPreview,
  examineMachine,
  generate,
  generationPiece,
  generationProgress,
  listAdapters,
  listModels,
  previewData,
} from './protocol.ts';
import { type NotificationSink, notify, type RequestSource, serve } from './rpc/serve.ts';

/** What answers need. */
export interface ModelRequestOptions {
  readonly workspaceFolders: readonly string[];
  /** The built `generator/main.ts`. */
  readonly generatorScript: string;
  /** The built `cli/main.ts`. */
  readonly cliScript: string;
}

/** Answers the client's requests about models, adapters, data and the machine. */
export function serveModels(
  connection: RequestSource & NotificationSink,
  { workspaceFolders, generatorScript, cliScript }: ModelRequestOptions,
): Generators {
  const generators = new Generators(generatorScript);
  serve(connection, generate, ({ model, device, ...generation }, token) => {
    const { id } = generation;
    return generators.generate({
      generation,
      model,
      device,
      token,
      onPiece: (text) => notify(connection, generationPiece, { id, text }),
      onProgress: (task, done, total) =>
        notify(connection, generationProgress, { id, task, done, total }),
    });
  });
  serve(connection, listModels, ({ folders }) =>
    findModels({ workspaceFolders, settingsFolders: folders, cacheFolder: huggingFaceCache() }),
  );
  serve(connection, listAdapters, () => findAdapters(workspaceFolders));
  serve(connection, previewData, async ({ configFile, rows }, token) => {
    const answer = await runCli(cliScript, ['preview', configFile, '--rows', `${rows}`], token);
    return answer as DataPreview;
  });
  serve(connection, examineMachine, async (_nothing, token) => {
    return (await runCli(cliScript, ['doctor'], token)) as Readonly<Record<string, unknown>>;
  });
  return generators;
}
