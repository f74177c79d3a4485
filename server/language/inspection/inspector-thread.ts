import { parentPort } from 'node:worker_threads';
import { createMessageConnection, PortMessageReader, PortMessageWriter } from 'vscode-jsonrpc/node';
import { readConfig } from '../../../engine/config/parse.ts';
import { estimateRun } from '../../../engine/plan/estimate-run.ts';
import { notify, serve } from '../../rpc/serve.ts';
import { ConfigInspector } from './config-inspector.ts';
import {
  estimateConfig,
  estimateProgressed,
  inspectConfig,
  listColumns,
  listModules,
} from './inspector-protocol.ts';

/**
 * The thread of the language server in which files are read: tokenizers, data and graphs keep a
 * processor busy for longer than someone who types should wait. ONNX Runtime is never loaded here.
 */
if (parentPort === null) throw new Error('This is a worker thread of the language server.');
const connection = createMessageConnection(
  new PortMessageReader(parentPort),
  new PortMessageWriter(parentPort),
);
const inspector = new ConfigInspector();

serve(connection, inspectConfig, ({ file, text }, token) =>
  inspector.inspect(file, text, () => token.isCancellationRequested),
);
serve(connection, listColumns, ({ names }) => inspector.columns(names));
serve(connection, listModules, ({ model }) => inspector.moduleNames(model));
serve(connection, estimateConfig, async ({ file }) =>
  estimateRun(await readConfig(file), ({ task, done, total }) =>
    notify(connection, estimateProgressed, { task, done, total }),
  ),
);
connection.listen();
