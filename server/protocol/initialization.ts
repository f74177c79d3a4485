import * as z from 'zod/mini';

/**
 * Every message between the extension and the language server beyond the Language Server Protocol
 * itself is declared in this folder, once, with its direction and its reason. What crosses the boundary is
 * checked by the receiver against the schema that stands with the message. The extension imports
 * these files too, so that they must not import the engine (and uses zod's small edition). The server
 * itself speaks to trainers and generators by `trainer/trainer-protocol.ts` and
 * `generator/generator-protocol.ts`.
 *
 * A request that could not be fulfilled is answered with the code `RPC_ERRORS.failed`, a sentence
 * for people, and a `RequestFailure` as data.
 */

/**
 * Version of this protocol, raised by every change that an older peer would misunderstand. Client
 * and server come from one package, but a window that was not reloaded after an update may start
 * the new server with the old client.
 */
export const PROTOCOL_VERSION = 2;

/**
 * Client → server, inside the `initialize` request: what the server must know before it can answer
 * anything. A server that gets anything else refuses to start.
 */
export const initializationOptions = z.object({
  /** {@link PROTOCOL_VERSION} of the client. */
  protocolVersion: z.literal(PROTOCOL_VERSION),
});

/** See {@link initializationOptions}. */
export type InitializationOptions = z.infer<typeof initializationOptions>;
