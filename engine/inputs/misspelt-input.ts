import { type NearestPath, nearestPath } from '../config/nearest-path.ts';
import { isDataFile } from '../data/data-format.ts';
import { parseDataPath } from '../data/data-path.ts';
import { type ErrorCode, LorafaError } from '../errors.ts';
import { isGlob } from '../glob.ts';
import type { InputUse } from './hub-source.ts';

/** A path that leads nowhere, beside something of a name like it: `model.not_found` and its like. */
export class MisspeltInput extends LorafaError {
  readonly near: NearestPath;

  constructor(file: string, use: InputUse, near: NearestPath) {
    const { code, problem } = MISSING[use];
    super(code, `${problem(file)}; did you mean ${near.path}?`, { location: { file } });
    this.near = near;
  }
}

const DATA_MISSING = {
  code: 'data.not_found',
  problem: (file: string) => `Cannot read the data file ${file}: it does not exist`,
} as const;

const MISSING: Readonly<
  Record<InputUse, { readonly code: ErrorCode; readonly problem: (file: string) => string }>
> = {
  model: { code: 'model.not_found', problem: (file) => `There is no model at ${file}` },
  adapter: { code: 'adapter.not_found', problem: (file) => `There is no adapter at ${file}` },
  training: DATA_MISSING,
  evaluation: DATA_MISSING,
};

/**
 * Refuses a path that leads nowhere where it can be told what was meant; whoever opens the others says
 * what they lack.
 *
 * @throws MisspeltInput; LorafaError `config.invalid_value` as `parseDataPath`
 */
export async function refuseMisspelt(input: string, use: InputUse): Promise<void> {
  const isData = use === 'training' || use === 'evaluation';
  const file = isData ? parseDataPath(input).file : input;
  // A pattern is no name of anything.
  const near = isData && isGlob(file) ? undefined : await nearestInput(file, use);
  if (near !== undefined) throw new MisspeltInput(file, use, near);
}

/** What was probably meant by a path to an input that leads nowhere. */
export function nearestInput(file: string, use: InputUse): Promise<NearestPath | undefined> {
  return nearestPath(file, SUITS[use]);
}

const SUITS: Readonly<Record<InputUse, (name: string) => boolean>> = {
  model: (name) => name.toLowerCase().endsWith('.gguf'),
  adapter: () => false,
  training: mayHoldRows,
  evaluation: mayHoldRows,
};

function mayHoldRows(name: string): boolean {
  return isDataFile(name) && !name.endsWith('.lorafa.json');
}
