import { shortened } from './quote.ts';

/**
 * What went wrong, for programs. The prefix before the dot says whose fault it is and decides the
 * exit code of the command line (`server/cli/exit-codes.ts`).
 */
export type ErrorCode =
  | 'usage.invalid'
  | 'config.not_found'
  | 'config.syntax'
  | 'config.unknown_key'
  | 'config.invalid_value'
  | 'config.contradiction'
  | 'model.not_found'
  | 'model.unsupported'
  | 'model.corrupt'
  | 'model.missing_tensor'
  | 'model.shape_mismatch'
  | 'model.not_finite'
  | 'model.tokenizer'
  | 'adapter.not_found'
  | 'adapter.corrupt'
  | 'adapter.unsupported'
  | 'adapter.mismatch'
  | 'adapter.no_target'
  | 'adapter.rank_too_large'
  | 'data.not_found'
  | 'data.corrupt'
  | 'data.empty'
  | 'data.missing_column'
  | 'data.bad_rows'
  | 'data.no_supervision'
  | 'data.chat_template'
  | 'hub.bad_endpoint'
  | 'hub.bad_proxy'
  | 'hub.bad_token'
  | 'hub.not_found'
  | 'hub.gated'
  | 'hub.unauthorized'
  | 'hub.forbidden'
  | 'hub.rate_limited'
  | 'hub.unavailable'
  | 'hub.unreachable'
  | 'hub.bad_answer'
  | 'hub.wrong_hash'
  | 'hub.no_space'
  | 'hub.not_writable'
  | 'hub.no_files'
  | 'hub.not_cached'
  | 'hub.offline'
  | 'hub.refused'
  | 'hub.conflict'
  | 'hub.too_large'
  | 'hub.quota'
  | 'hub.cancelled'
  | 'device.unavailable'
  | 'device.failed'
  | 'device.out_of_memory'
  | 'device.setup_failed'
  | 'device.setup_cancelled'
  | 'python.not_found'
  | 'python.missing_package'
  | 'python.wrong_version'
  | 'python.out_of_memory'
  | 'python.failed'
  | 'output.not_found'
  | 'output.not_writable'
  | 'output.in_use'
  | 'output.no_space'
  | 'checkpoint.corrupt'
  | 'checkpoint.mismatch'
  | 'training.not_finite'
  | 'training.cancelled'
  | 'training.crashed'
  | 'training.rank_died'
  | 'training.rank_lost'
  | 'training.no_answer'
  | 'training.wrong_version'
  | 'generation.crashed'
  | 'export.cancelled'
  | 'export.wrong_values'
  | 'internal.graph'
  | 'internal.unexpected';

/** Where in a file the cause lies; `line` and `column` count from 1, `offset` is in bytes from 0. */
export interface ErrorLocation {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly offset?: number;
}

/** Characters of a message: what files hold may be of any length, and most messages quote some of it. */
export const MESSAGE_LIMIT = 4_000;

/**
 * The only error that the engine throws on purpose: one sentence for people (the file, field or
 * line, the cause and the way out), at most {@link MESSAGE_LIMIT} characters long, and a code for
 * programs. The sentence is text: whoever shows it sees to it that nothing in it is taken for more.
 */
export class LorafaError extends Error {
  override readonly name = 'LorafaError';
  readonly code: ErrorCode;
  readonly location: ErrorLocation | undefined;
  /** What a library itself said, for logs: it may name files of its sources, which help nobody else. */
  readonly detail: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { location?: ErrorLocation; cause?: unknown; detail?: string } = {},
  ) {
    super(
      shortened(message, MESSAGE_LIMIT),
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.location = options.location;
    this.detail =
      options.detail === undefined ? undefined : shortened(options.detail, MESSAGE_LIMIT);
  }
}

/** All that is known of something that was thrown, for logs: the words of a library where there are any. */
export function wordsOf(error: unknown): string {
  const detail = error instanceof LorafaError ? error.detail : undefined;
  return detail ?? messageOf(error);
}

/** The message of anything that was thrown, for use inside the sentence of a {@link LorafaError}. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
