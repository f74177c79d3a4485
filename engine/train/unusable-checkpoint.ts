import { LorafaError } from '../errors.ts';

/** The error for a checkpoint that no run can go on from: `checkpoint.corrupt`. */
export class UnusableCheckpoint extends LorafaError {
  /** What is wrong with it, for a sentence that names the checkpoint and the way out itself. */
  readonly problem: string;

  constructor(
    folder: string,
    problem: string,
    {
      file,
      wayOut = 'resume from another one',
      cause,
    }: { readonly file: string; readonly wayOut?: string; readonly cause?: unknown },
  ) {
    const message = `${folder} is not a usable checkpoint: ${problem}; ${wayOut}.`;
    super('checkpoint.corrupt', message, { location: { file }, cause });
    this.problem = problem;
  }
}

/** One that is not damaged as far as anybody here can tell. */
export class OtherVersionCheckpoint extends UnusableCheckpoint {}
