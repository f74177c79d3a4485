import type * as z from 'zod/mini';

/**
 * How messages are declared: once, with the schema that the receiver checks their content against.
 * Nothing here runs, so that the extension can import declarations without what serves them.
 */

/** A question that is answered. */
export interface RequestMessage<Params, Result> {
  readonly method: string;
  readonly params: z.ZodMiniType<Params>;
  /** Only for the compiler: what the answer is. */
  readonly result?: Result;
}

/** A message that nobody answers. */
export interface NotificationMessage<Params> {
  readonly method: string;
  readonly params: z.ZodMiniType<Params>;
}

/** Declares a request: `request<Result>()(method, schema of its parameters)`. */
export function request<Result>() {
  return <Params>(
    method: string,
    params: z.ZodMiniType<Params>,
  ): RequestMessage<Params, Result> => ({ method, params });
}

/** Declares a notification. */
export function notification<Params>(
  method: string,
  params: z.ZodMiniType<Params>,
): NotificationMessage<Params> {
  return { method, params };
}

/** Codes of error answers, beside those that JSON-RPC itself reserves. */
export const RPC_ERRORS = {
  /** The parameters are not what the message's schema says (JSON-RPC's own code). */
  invalidParams: -32602,
  /** A mistake in the answering program (JSON-RPC's own code). */
  internal: -32603,
  /** The request is fine and could not be fulfilled; `data` is a {@link RequestFailure}. */
  failed: -32803,
  /** The one who asked does not want to know any more (the language server protocol's own code). */
  cancelled: -32800,
  /** A request came before the handshake, or the handshake named another protocol version. */
  wrongVersion: -32002,
} as const;

/** What comes with {@link RPC_ERRORS.failed}, beside the sentence for people. */
export interface RequestFailure {
  /** An `ErrorCode` of the engine. */
  readonly code: string;
  /** Every problem of a configuration, one sentence each with its place. */
  readonly problems?: readonly string[];
  /** What a library itself said, for the log. */
  readonly detail?: string;
}
