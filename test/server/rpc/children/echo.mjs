import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';

/** Answers with what it is asked. */
const connection = createMessageConnection(
  new IPCMessageReader(process),
  new IPCMessageWriter(process),
);
connection.onRequest('echo', (params) => params);
connection.onRequest('die', () => process.exit(3));
process.on('disconnect', () => process.exit());
connection.listen();
