import * as z from 'zod/mini';
import type { ExportResult } from '../engine/export/export.ts';
import type { ExportSize } from '../engine/export/export-sizes.ts';
import { runCli } from './cli-process.ts';
import { progressOf } from './cli-progress.ts';
import { exportAdapter, exportProgress, measureExports } from './protocol/models.ts';
import { type NotificationSink, notify, type RequestSource, serve } from './rpc/serve.ts';

/** Milliseconds that a cancelled export may take to remove what it has written. */
const GRACE_MS = 15_000;

/** What `lorafa export --sizes --json` prints. */
const sizesLine = z.object({ sizes: z.readonly(z.array(z.custom<ExportSize>())) });

/**
 * Answers the client's requests for exports, each in a process of its own.
 *
 * @param cliScript the built `cli/main.ts`
 */
export function serveExports(
  connection: RequestSource & NotificationSink,
  cliScript: string,
): void {
  serve(connection, measureExports, async ({ folder }, token) => {
    const { sizes } = sizesLine.parse(
      await runCli(cliScript, ['export', folder, '--sizes'], token),
    );
    return sizes;
  });
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
