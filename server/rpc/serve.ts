import type { CancellationToken } from 'vscode-jsonrpc';
import { ResponseError } from 'vscode-jsonrpc';
import * as z from 'zod/mini';
import { ConfigError, formatProblem } from '../../engine/config/config-error.ts';
import { LorafaError, messageOf } from '../../engine/errors.ts';
import {
  type NotificationMessage,
  type RequestFailure,
  type RequestMessage,
  RPC_ERRORS,
} from './message.ts';

/** The part of a JSON-RPC or language server connection that requests come in by. */
export interface RequestSource {
  onRequest(
    method: string,
    handler: (params: unknown, token: CancellationToken) => unknown,
  ): unknown;
}

/** The part of a connection that requests go out by. */
export interface RequestSink {
  sendRequest<Result>(method: string, params: unknown): Promise<Result>;
}

/** The part of a connection that notifications come in by. */
export interface NotificationSource {
  onNotification(method: string, handler: (params: unknown) => void): unknown;
}

/** The part of a connection that notifications go out by. */
export interface NotificationSink {
  sendNotification(method: string, params: unknown): Promise<void>;
}

/**
 * Answers a request with what `handler` returns. Parameters that are not what the message declares
 * never reach it, and whatever it throws becomes an error answer with a sentence for people.
 */
export function serve<Params, Result>(
  source: RequestSource,
  { method, params: schema }: RequestMessage<Params, Result>,
  handler: (params: Params, token: CancellationToken) => Result | Promise<Result>,
): void {
  source.onRequest(method, async (raw, token) => {
    const params = schema.safeParse(raw);
    if (!params.success) {
      const problem = z.prettifyError(params.error).replaceAll(/\s*\n\s*/g, '; ');
      return new ResponseError(RPC_ERRORS.invalidParams, `${method}: ${problem}`);
    }
    try {
      return await handler(params.data, token);
    } catch (error) {
      return errorAnswer(error);
    }
  });
}

/** Asks the other side of a connection, which answers as the message declares. */
export function ask<Params, Result>(
  sink: RequestSink,
  { method }: RequestMessage<Params, Result>,
  params: Params,
): Promise<Result> {
  return sink.sendRequest<Result>(method, params);
}

/** Does what a notification says; one that is not what the message declares says nothing. */
export function heed<Params>(
  source: NotificationSource,
  { method, params: schema }: NotificationMessage<Params>,
  handler: (params: Params) => void,
): void {
  source.onNotification(method, (raw) => {
    const params = schema.safeParse(raw);
    if (params.success) handler(params.data);
  });
}

/**
 * Sends a notification; one that cannot be sent any more has nobody who misses it. Resolves when it
 * is on its way.
 */
export function notify<Params>(
  sink: NotificationSink,
  { method }: NotificationMessage<Params>,
  params: Params,
): Promise<void> {
  return sink.sendNotification(method, params).catch(() => undefined);
}

function errorAnswer(error: unknown): ResponseError<RequestFailure> {
  if (error instanceof ResponseError) return error;
  if (!(error instanceof LorafaError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
    return new ResponseError(RPC_ERRORS.internal, `Unexpected error: ${text}`);
  }
  const problems = error instanceof ConfigError ? error.problems.map(formatProblem) : undefined;
  return new ResponseError(RPC_ERRORS.failed, error.message, {
    code: error.code,
    ...(problems !== undefined && { problems }),
    ...(error.detail !== undefined && { detail: error.detail }),
  });
}
