import { InspectorClient } from './language/inspection/inspector-client.ts';
import { estimateProgress, estimateRun } from './protocol.ts';
import { type NotificationSink, notify, type RequestSource, serve } from './rpc/serve.ts';

/**
 * Answers the client's requests for estimates, each in a process of its own.
 *
 * @param inspectorScript the built `language/inspection/inspector-process.ts`
 */
export function serveEstimates(
  connection: RequestSource & NotificationSink,
  inspectorScript: string,
): void {
  serve(connection, estimateRun, async ({ configFile }, token) => {
    const inspector = new InspectorClient(inspectorScript);
    const cancelled = token.onCancellationRequested(() => inspector.dispose());
    try {
      return await inspector.estimate(configFile, (progress) =>
        notify(connection, estimateProgress, { configFile, ...progress }),
      );
    } finally {
      cancelled.dispose();
      await inspector.dispose();
    }
  });
}
