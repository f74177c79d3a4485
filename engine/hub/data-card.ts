import path from 'node:path';
import { z } from 'zod';
import { readBoundedFile } from '../bounded-file.ts';
import { defaultCacheFolder } from '../cache-folder.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { ensureFolder } from '../files/folders.ts';
import { globMatcher } from '../glob.ts';
import { parseJson } from '../json.ts';
import { type TimeLimit, withinTime } from '../time-limit.ts';
import type { Repository } from './repository.ts';

/** A configuration of a data set: its splits, and the files of each. */
export interface DataConfig {
  readonly name: string;
  readonly isDefault: boolean;
  readonly splits: ReadonlyMap<string, readonly string[]>;
}

const patterns = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

const cardSchema = z.array(
  z.looseObject({
    config_name: z.string(),
    default: z.boolean().optional(),
    data_files: z.union([
      z.array(z.looseObject({ split: z.string(), path: patterns })),
      patterns.transform((path) => [{ split: 'train', path }]),
    ]),
    data_dir: z.string().optional(),
  }),
);

/** Ends the patterns of a card that are meant to take for ever: a thousand of them take a second with ten thousand files. */
const LIMIT: TimeLimit = {
  seconds: 20,
  code: 'hub.bad_answer',
  subject: 'Finding the files that the card of the data set names',
  advice: 'look for another data set, or download a file of it and name that',
  file: 'README.md',
};

/**
 * The configurations of a data set as the head of its card describes them.
 *
 * @param configs what the hub says is there; anything
 * @returns undefined where the card says nothing that can be used
 * @throws TimeLimitError `hub.bad_answer` for a card with far too many patterns
 */
export function cardConfigs(
  configs: unknown,
  files: readonly string[],
): readonly DataConfig[] | undefined {
  const { data } = cardSchema.safeParse(configs);
  if (data === undefined || data.length === 0) return undefined;
  return withinTime(LIMIT, () => configsOf(data, files));
}

function configsOf(
  data: z.infer<typeof cardSchema>,
  files: readonly string[],
): readonly DataConfig[] {
  return data.map(
    ({ config_name: name, default: isDefault, data_files: splits, data_dir: dir }) => ({
      name,
      isDefault: isDefault ?? (data.length === 1 || name === 'default'),
      splits: new Map(
        splits.map(({ split, path }) => {
          const matchers = path.map((pattern) => globMatcher(inFolder(pattern, dir)));
          return [split, files.filter((file) => matchers.some((matches) => matches(file)))];
        }),
      ),
    }),
  );
}

function inFolder(pattern: string, folder: string | undefined): string {
  return folder === undefined ? pattern : `${folder.replace(/\/$/, '')}/${pattern}`;
}

const MAX_CARD_BYTES = 2 ** 20;

/**
 * Keeps what the card of a data set says, for when the Hub cannot be asked: the shared cache has no
 * place for it. Where that cannot be written, names of files have to do.
 */
export async function storeCard(
  repository: Repository,
  commit: string,
  configs: unknown,
): Promise<void> {
  const text = JSON.stringify(configs ?? null);
  if (configs === null || text.length > MAX_CARD_BYTES) return;
  const file = cardFile(repository, commit);
  await ensureFolder(path.dirname(file))
    .then(() => writeFileAtomic(file, text))
    .catch(() => undefined);
}

/** What {@link storeCard} kept; null where that is nothing. */
export function storedCard(repository: Repository, commit: string): Promise<unknown> {
  return readBoundedFile(cardFile(repository, commit), MAX_CARD_BYTES)
    .then(
      (bytes) => parseJson(String(bytes)),
      () => null,
    )
    .catch(() => null);
}

function cardFile({ name }: Repository, commit: string): string {
  const folder = path.join(defaultCacheFolder(), 'data-cards', name.replace('/', '--'));
  return path.join(folder, `${commit}.json`);
}
