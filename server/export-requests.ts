import type { ExportResult } from '../engine/export/export.ts';
import { runCli } from './cli-process.ts';
import { progressOf } from './cli-progress.ts';
import { exportAdapter, exportProgress } from './protocol/models.ts';
import { type NotificationSink, notify, type RequestSource, serve } from './rpc/serve.ts';

/** Milliseconds that a cancelled export may take to remove what it has written. */
const GRACE_MS = 15_000;

/**
 * Answers the client's requests for exports, each in a process of its own.
 *
 * @param cliScript the built `cli/main.ts`
 */
export function serveExports(
  connection: RequestSource & NotificationSink,
  cliScript: string,
): void {
  serve(connection, exportAdapter, async ({ id, folder, format, output, dtype }, token) => {
    const onLine = (line: unknown): void => {
      const text = progressOf(line);
      if (text !== undefined) void notify(connection, exportProgress, { id, text });
    };
    const args = ['export', folder, '--format', format, '--output', output];
    const typed = dtype === null ? args : [...args, '--dtype', dtype];
    return (await runCli(cliScript, typed, token, { onLine, graceMs: GRACE_MS })) as ExportResult;
  });
}
