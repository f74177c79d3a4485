import { z } from 'zod';
import { KNOWN_ARCHITECTURES } from '../architectures/hugging-face-config.ts';
import { BYTES_PER_ELEMENT } from '../formats/tensor-location.ts';
import { GGUF_ARCHITECTURES } from '../gguf/gguf-config.ts';
import type { HubConnection } from './hub-connection.ts';
import { badAnswer, type HubSubject } from './hub-error.ts';
import { parseHubName } from './hub-name.ts';
import { clientLibrary, type RepositoryKind } from './repository.ts';

/** A repository as a search finds it. */
export interface HubEntry {
  /** `owner/name`. */
  readonly name: string;
  /** As the Hub abbreviates it: `apache-2.0`; null where its card names none. */
  readonly licence: string | null;
  /** Whether its owner decides who may have it. */
  readonly isGated: boolean;
  readonly downloads: number;
  /** Bytes of a model's weights, by what the Hub knows of them; null where it does not. */
  readonly bytes: number | null;
  /** A model as one or several GGUF files. */
  readonly isGguf: boolean;
  /** Rows of a data set as the Hub classes them: `10K<n<100K`; null where it does not. */
  readonly rows: string | null;
}

/** How many a search finds at most. */
const FOUND = 20;

/** How many repositories a search looks at: most of those of a name may be of no use here. */
const LOOKED_AT = 200;

/** Formats of data, as the Hub recognises them, that rows are read from. */
const READABLE_FORMATS: ReadonlySet<string> = new Set(['json', 'csv', 'parquet', 'text']);

/** What the Hub calls data that are no text. */
const NO_TEXT = /^modality:(image|audio|video|3d|geospatial)$/;

const entrySchema = z.looseObject({
  name: z.string(),
  private: z.boolean().catch(false),
  gated: z.union([z.boolean(), z.string()]).catch(false),
  downloads: z.number().nonnegative().catch(0),
  tags: z.array(z.string()).catch([]),
});

const modelSchema = entrySchema.extend({
  config: z
    .looseObject({
      architectures: z.array(z.string()).optional(),
      model_type: z.string().optional(),
      quantization_config: z.unknown().optional(),
    })
    .nullish()
    .catch(null),
  safetensors: z
    .looseObject({ parameters: z.record(z.string(), z.number().nonnegative()) })
    .nullish()
    .catch(null),
  gguf: z.looseObject({ architecture: z.string() }).nullish().catch(null),
});

/**
 * The repositories whose names hold a text, those that are downloaded most first: of models those
 * that can be trained, of data sets those with rows in a format that is read.
 *
 * @throws HubError for everything that can be wrong between here and the Hub
 */
export async function searchHub(
  kind: RepositoryKind,
  text: string,
  connection: HubConnection,
): Promise<readonly HubEntry[]> {
  const subject = {
    title: `${kind === 'model' ? 'models' : 'data sets'} named "${text}"`,
    page: connection.endpoint,
    revision: 'main',
    hasToken: connection.hasToken,
  };
  if (kind === 'dataset') return search(subject, connection, 'listDatasets', text, [], dataEntry);
  const [folders, ggufs] = await Promise.all([
    search(subject, connection, 'listModels', text, ['safetensors', 'text-generation'], modelEntry),
    search(subject, connection, 'listModels', text, ['gguf', 'text-generation'], ggufEntry),
  ]);
  const names = new Set(folders.map(({ name }) => name));
  return [...folders, ...ggufs.filter(({ name }) => !names.has(name))].slice(0, FOUND);
}

async function search(
  subject: HubSubject,
  connection: HubConnection,
  list: 'listModels' | 'listDatasets',
  query: string,
  tags: string[],
  entryOf: (raw: unknown) => HubEntry | undefined,
): Promise<readonly HubEntry[]> {
  const question = {
    search: { query, tags },
    sort: 'downloads' as const,
    limit: LOOKED_AT,
    hubUrl: connection.endpoint,
    fetch: connection.fetchFor(subject),
  };
  const library = await clientLibrary();
  const answers: AsyncGenerator<unknown> =
    list === 'listModels'
      ? // The Hub knows more fields than the types of its library.
        library.listModels({
          ...question,
          additionalFields: ['tags', 'config', 'safetensors', 'gguf' as 'tags'],
        })
      : library.listDatasets({ ...question, additionalFields: ['tags'] });
  const found: HubEntry[] = [];
  try {
    for await (const answer of answers) {
      const entry = entryOf(answer);
      if (entry !== undefined && parseHubName(entry.name) !== undefined) found.push(entry);
      if (found.length === FOUND) break;
    }
  } catch (error) {
    if (error instanceof TypeError) throw badAnswer(subject, 'its list of repositories is none');
    throw error;
  }
  return found;
}

function modelEntry(raw: unknown): HubEntry | undefined {
  const { data } = modelSchema.safeParse(raw);
  const { config, safetensors } = data ?? {};
  const architecture = config?.architectures?.[0];
  if (data === undefined || architecture === undefined) return undefined;
  if (!KNOWN_ARCHITECTURES.includes(architecture) || config?.quantization_config != null) {
    return undefined;
  }
  const sizes = Object.entries(safetensors?.parameters ?? {}).map(
    ([dtype, count]) => count * (BYTES_PER_ELEMENT as Readonly<Record<string, number>>)[dtype]!,
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return { ...commonOf(data), bytes: bytes > 0 ? bytes : null, isGguf: false, rows: null };
}

function ggufEntry(raw: unknown): HubEntry | undefined {
  const { data } = modelSchema.safeParse(raw);
  const architecture = data?.gguf?.architecture ?? '';
  if (data === undefined || !GGUF_ARCHITECTURES.includes(architecture)) return undefined;
  return { ...commonOf(data), bytes: null, isGguf: true, rows: null };
}

function dataEntry(raw: unknown): HubEntry | undefined {
  const { data } = entrySchema.safeParse(raw);
  if (data === undefined) return undefined;
  const formats = valuesOf('format', data.tags);
  const isReadable = formats.some((format) => READABLE_FORMATS.has(format));
  if (!isReadable || data.tags.some((tag) => NO_TEXT.test(tag))) return undefined;
  const [rows = null] = valuesOf('size_categories', data.tags);
  return { ...commonOf(data), bytes: null, isGguf: false, rows };
}

function commonOf({ name, gated, downloads, tags }: z.infer<typeof entrySchema>) {
  const [licence = null] = valuesOf('license', tags);
  return { name, licence, isGated: gated !== false, downloads };
}

function valuesOf(key: string, tags: readonly string[]): readonly string[] {
  const start = `${key}:`;
  return tags.filter((tag) => tag.startsWith(start)).map((tag) => tag.slice(start.length));
}
