import type { FuzzedReader } from './reader.ts';
import { adapterReaders } from './readers/adapters.ts';
import { configurationReaders } from './readers/configurations.ts';
import { dataReaders } from './readers/data-files.ts';
import { modelReaders } from './readers/models.ts';
import { runReaders } from './readers/runs.ts';
import { tokenizerReaders } from './readers/tokenizers.ts';

/** Everything that reads files which others may have written. */
export const READERS: readonly FuzzedReader[] = [
  ...configurationReaders,
  ...modelReaders,
  ...tokenizerReaders,
  ...adapterReaders,
  ...dataReaders,
  ...runReaders,
];
