import type { ErrorCode } from '../errors.ts';

/** One row cannot be used; the message completes "file:line: ". Caught where rows are counted. */
export class RowError extends Error {
  override readonly name = 'RowError';
  readonly code: ErrorCode;

  constructor(reason: string, code: ErrorCode = 'data.bad_rows') {
    super(reason);
    this.code = code;
  }
}
