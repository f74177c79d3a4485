import { LorafaError } from '../../engine/errors.ts';

/** That a folder holds no run any more, as `output.not_found`. */
export function goneRun(folder: string): LorafaError {
  return new LorafaError(
    'output.not_found',
    `The run in ${folder} is not there any more: it was deleted, moved or renamed.`,
    { location: { file: folder } },
  );
}
