import { HubError } from './hub-error.ts';
import type { Repository } from './repository.ts';

/** The files of a repository, of which some are to be chosen. */
export interface RepositoryView {
  readonly repository: Repository;
  /** As a person wrote it, without rows: `owner/name@revision`. */
  readonly name: string;
  readonly files: readonly string[];
  /** What the card of a data set says about its splits; null where that is not known. */
  readonly configs: unknown;
  /** The folder that the files are in, or come into. */
  readonly folder: string;
  /** Fetches files that the choice of the others depends on. */
  readonly get: (files: readonly string[]) => Promise<void>;
}

/** Decides which files of a repository are needed. */
export type ChooseFiles = (view: RepositoryView) => Promise<readonly string[]>;

/** How many names a sentence lists. */
const SHOWN = 12;

/** The error for a repository that does not have what is needed; `problem` follows its name. */
export function noFiles({ repository, name }: RepositoryView, problem: string): HubError {
  const kind = repository.kind === 'model' ? 'model' : 'data set';
  return new HubError('hub.no_files', `The ${kind} ${name} ${problem}.`);
}

/** Some names for a sentence. */
export function listNames(names: readonly string[]): string {
  return [...names.slice(0, SHOWN), ...(names.length > SHOWN ? ['…'] : [])].join(', ');
}
