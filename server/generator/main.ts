import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from 'vscode-jsonrpc/node';
import { LorafaError } from '../../engine/errors.ts';
import { giveHubToken } from '../../engine/hub/hub-token.ts';
import { endWithParent } from '../end-with-parent.ts';
import { notify, serve } from '../rpc/serve.ts';
import {
  countTextTokens,
  generateText,
  openModel,
  openProgress,
  textPiece,
} from './generator-protocol.ts';
import { LoadedModel } from './loaded-model.ts';

/**
 * The process of one loaded base model: ONNX Runtime blocks its event loop token by token, may end
 * it, and gives its GPU memory back with it. It ends with its server.
 */
const connection = createMessageConnection(
  new IPCMessageReader(process),
  new IPCMessageWriter(process),
);
let loaded: Promise<LoadedModel> | undefined;

serve(connection, openModel, async ({ hubToken, ...choice }) => {
  giveHubToken(hubToken);
  loaded = LoadedModel.open(choice, (task, done, total) =>
    notify(connection, openProgress, { task, done, total }),
  );
  await loaded;
  return null;
});

serve(connection, generateText, async (generation, token) => {
  const abort = new AbortController();
  token.onCancellationRequested(() => abort.abort());
  const model = await opened();
  return model.generate(generation, abort.signal, (text) =>
    notify(connection, textPiece, { id: generation.id, text }),
  );
});

serve(connection, countTextTokens, async ({ text }) => (await opened()).countTokens(text));

async function opened(): Promise<LoadedModel> {
  if (loaded === undefined) throw new LorafaError('usage.invalid', 'No model is open yet.');
  return loaded;
}

connection.onClose(() => process.exit());
process.on('disconnect', () => process.exit());
endWithParent();
connection.listen();
