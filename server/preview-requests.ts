import { LorafaError, messageOf } from '../engine/errors.ts';
import { InspectorClient } from './language/inspection/inspector-client.ts';
import {
  closePreview,
  getPreviewRows,
  previewNews,
  readPreview,
  searchPreview,
} from './protocol/data.ts';
import { ChildEnded } from './rpc/connected-child.ts';
import { type NotificationSink, notify, type RequestSource, serve } from './rpc/serve.ts';

/**
 * Answers the client's requests for previews of training data. Each preview has a process of its
 * own, which holds the rows that were read and runs what the model's files bring with them.
 *
 * @param inspectorScript the built `language/inspection/inspector-process.ts`
 * @returns what ends all of these processes
 */
export function servePreviews(
  connection: RequestSource & NotificationSink,
  inspectorScript: string,
): { dispose(): Promise<void> } {
  const open = new Map<string, InspectorClient>();

  async function close(id: string): Promise<null> {
    const inspector = open.get(id);
    open.delete(id);
    await inspector?.dispose();
    return null;
  }

  function find(id: string): InspectorClient {
    const inspector = open.get(id);
    if (inspector !== undefined) return inspector;
    throw new LorafaError(
      'data.not_found',
      'The data of this preview are closed; read them again.',
    );
  }

  serve(connection, readPreview, async ({ id, configFile }, token) => {
    const inspector = new InspectorClient(inspectorScript);
    open.set(id, inspector);
    try {
      return await inspector.readData(
        configFile,
        (state) => void notify(connection, previewNews, { id, state }),
        token,
      );
    } catch (error) {
      // Nobody waits for what was closed, or begun anew.
      if (open.get(id) !== inspector) return null;
      throw endOf(error);
    }
  });
  serve(connection, getPreviewRows, ({ id, start, count }) =>
    find(id).dataRows(start, count).catch(rethrowEnd),
  );
  serve(connection, searchPreview, ({ id, text }) => find(id).searchData(text).catch(rethrowEnd));
  serve(connection, closePreview, ({ id }) => close(id));
  return {
    dispose: async () => {
      await Promise.all([...open.keys()].map(close));
    },
  };
}

function rethrowEnd(error: unknown): never {
  throw endOf(error);
}

/** What to say of a process that the files ended. */
function endOf(error: unknown): unknown {
  if (!(error instanceof ChildEnded)) return error;
  return new LorafaError(
    'data.corrupt',
    `Reading the data ended the process (${messageOf(error)}); take the original files of the model and of the data, or others.`,
  );
}
