import { fileURLToPath } from 'node:url';
import {
  createConnection,
  type InitializeResult,
  ProposedFeatures,
  ResponseError,
  TextDocuments,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { serveChecks } from './check-requests.ts';
import { serveCuda } from './cuda-requests.ts';
import { serveDataFiles } from './data-requests.ts';
import { serveEstimates } from './estimate-requests.ts';
import { serveExports } from './export-requests.ts';
import { serveHub } from './hub-requests.ts';
import { InspectorClient } from './language/inspection/inspector-client.ts';
import { LANGUAGE_CAPABILITIES, serveLanguage } from './language/language-features.ts';
import { serveModels } from './model-requests.ts';
import { followOpenFolders } from './open-folders.ts';
import { servePreviews } from './preview-requests.ts';
import { initializationOptions } from './protocol/initialization.ts';
import { servePushes } from './push-requests.ts';
import { serveRuns } from './run-requests.ts';
import { findRunFolders } from './runs/find-run-folders.ts';
import { defaultRegistryFolder, RunRegistry } from './trainer/run-registry.ts';

/**
 * The process behind one VS Code window, started by the extension over IPC and restartable at any
 * time: it keeps nothing that cannot be read again from files and open documents.
 */
const connection = createConnection(ProposedFeatures.all);
const documents = new TextDocuments(TextDocument);

/** The name of this server in diagnostics and logs. */
const SERVER_NAME = 'LoRA-FA';

connection.onInitialize((params): InitializeResult | ResponseError<{ retry: boolean }> => {
  if (!initializationOptions.safeParse(params.initializationOptions).success) {
    return new ResponseError(
      -32602,
      'The LoRA-FA extension was updated while this window was open; reload the window.',
      { retry: false },
    );
  }
  const canRefreshHints = params.capabilities.workspace?.inlayHint?.refreshSupport === true;
  const inspector = new InspectorClient(program('./inspector.js'), undefined, () =>
    configurations.lookAgain(),
  );
  const configurations = serveConfigurations(inspector, canRefreshHints);
  const folders = followOpenFolders(connection, params.workspaceFolders ?? []);
  // What a run leaves is what the next one of its configuration finds.
  const background = serveBackground(folders, inspector, () => configurations.lookAgain());
  const hub = serveHub(connection, program('./inspector.js'));
  const services: readonly Service[] = [hub, inspector, configurations, ...background];
  connection.onShutdown(async () => {
    await Promise.all(services.map((service) => service.dispose()));
  });
  return {
    serverInfo: { name: SERVER_NAME },
    capabilities: LANGUAGE_CAPABILITIES,
  };
});

/** Path of a program that lies beside this one. */
function program(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Something that ends with the server. */
interface Service {
  dispose(): void | Promise<void>;
}

/** What is told about open configurations. */
function serveConfigurations(
  inspector: InspectorClient,
  canRefreshHints: boolean,
): Service & { lookAgain(): void } {
  serveChecks(connection, inspector);
  serveDataFiles(connection, inspector);
  const previews = servePreviews(connection, program('./inspector.js'));
  const language = serveLanguage(connection, documents, {
    inspector,
    source: SERVER_NAME,
    canRefreshHints,
  });
  return {
    lookAgain: () => language.lookAgain(),
    dispose: async () => {
      language.dispose();
      await previews.dispose();
    },
  };
}

/** Runs and models: all that computes, in processes of its own whose programs lie beside this one. */
function serveBackground(
  workspaceFolders: readonly string[],
  inspector: InspectorClient,
  onRunChanged: () => void,
): readonly Service[] {
  const registry = new RunRegistry(defaultRegistryFolder());
  const runs = serveRuns(connection, {
    workspaceFolders,
    registry,
    trainerScript: program('./trainer.js'),
    cliScript: program('./cli.js'),
    onStateChanged: onRunChanged,
  });
  const runFolders = () => findRunFolders(workspaceFolders, registry);
  const cliScript = program('./cli.js');
  const generators = serveModels(connection, {
    workspaceFolders,
    runFolders,
    inspector,
    generatorScript: program('./generator.js'),
    cliScript,
  });
  serveEstimates(connection, {
    inspectorScript: program('./inspector.js'),
    cliScript,
    runFolders,
  });
  serveExports(connection, cliScript);
  serveCuda(connection, cliScript);
  servePushes(connection, cliScript);
  return [runs, generators];
}

documents.listen(connection);
connection.listen();
