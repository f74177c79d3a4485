import { isJsonObject } from '../engine/json-file.ts';
import { runCli } from './cli-process.ts';
import { progressOf } from './cli-progress.ts';
import { planPush, pushAdapter, pushProgress } from './protocol/hub.ts';
import type { ShownPush } from './publish/plan-push.ts';
import type { PushResult } from './publish/push.ts';
import { type NotificationSink, notify, type RequestSource, serve } from './rpc/serve.ts';

/** Milliseconds that a cancelled push may take: whether a commit that was asked for is made must not stay open. */
const GRACE_MS = 60_000;

/**
 * Answers the client's requests for pushes, each in a process of its own.
 *
 * @param cliScript the built `cli/main.ts`
 */
export function servePushes(connection: RequestSource & NotificationSink, cliScript: string): void {
  serve(connection, planPush, async (push, token) => {
    return (await runCli(cliScript, [...argsOf(push), '--dry-run'], token)) as ShownPush;
  });
  serve(connection, pushAdapter, async ({ id, digest, ...push }, token) => {
    const onLine = (line: unknown): void => {
      const text = isCommitting(line) ? null : progressOf(line);
      if (text !== undefined) void notify(connection, pushProgress, { id, text });
    };
    const args = [...argsOf(push), '--expect', digest];
    return (await runCli(cliScript, args, token, {
      ...{ onLine, graceMs: GRACE_MS, isHeard: true },
    })) as PushResult;
  });
}

/** What the command prints when it asks for its commit. */
function isCommitting(line: unknown): boolean {
  return isJsonObject(line) && line['type'] === 'committing';
}

function argsOf({
  folder,
  repository,
  isPrivate,
}: {
  readonly folder: string;
  readonly repository: string;
  readonly isPrivate: boolean | null;
}): readonly string[] {
  const visibility = isPrivate === null ? [] : [isPrivate ? '--private' : '--public'];
  // After an equals sign nothing is taken for an option.
  return ['push', folder, `--repo=${repository}`, ...visibility];
}
