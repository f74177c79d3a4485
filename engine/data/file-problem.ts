import { LorafaError, messageOf } from '../errors.ts';
import { NotAPlainFile } from '../plain-file.ts';

/** The error for a data file that the system cannot open or read. */
export function cannotRead(file: string, error: unknown): LorafaError {
  if (error instanceof LorafaError) return error;
  const code = (error as NodeJS.ErrnoException).code;
  const reason =
    code === 'ENOENT'
      ? 'it does not exist; check the path'
      : error instanceof NotAPlainFile && error.isFolder
        ? 'it is a folder; name the data file in it'
        : `${messageOf(error)}; check the file and its permissions`;
  return new LorafaError('data.not_found', `Cannot read the data file ${file}: ${reason}.`, {
    location: { file },
    cause: error,
  });
}

/** The error for a data file that is damaged as a whole. */
export function corruptFile(file: string, reason: string, line?: number): LorafaError {
  return new LorafaError(
    'data.corrupt',
    `The data file ${line === undefined ? file : `${file}:${line}`} is damaged: ${reason}.`,
    { location: line === undefined ? { file } : { file, line } },
  );
}

/** The error for a data file whose rows are not any more where they were when the run began. */
export function changedFile(file: string): LorafaError {
  return new LorafaError(
    'data.corrupt',
    `The data file ${file} was changed while it was read; leave it as it is while a run goes on, and start again.`,
    { location: { file } },
  );
}
