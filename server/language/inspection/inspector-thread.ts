import { parentPort } from 'node:worker_threads';
import { createMessageConnection, PortMessageReader, PortMessageWriter } from 'vscode-jsonrpc/node';
import { serve } from '../../rpc/serve.ts';
import { ConfigInspector } from './config-inspector.ts';
import { inspectConfig, listColumns, listModules } from './inspector-protocol.ts';

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
connection.listen();
