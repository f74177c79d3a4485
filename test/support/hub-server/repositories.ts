import { createHash } from 'node:crypto';

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  readonly content: Buffer;
  /** Kept in LFS, as the Hub does with large and binary files. */
  readonly isLarge: boolean;
  /** What the list of files says of its size, where that is not true. */
  readonly saidSize?: number;
}

/** What the stand-in serves under a name. */
export interface HubRepository {
  readonly kind: 'model' | 'dataset';
  readonly name: string;
  readonly commit: string;
  readonly branches: ReadonlySet<string>;
  readonly files: ReadonlyMap<string, HubFile>;
  readonly cardData: object | undefined;
  /** Who may read it: everybody, those with a token, or only those who were let in. */
  readonly access: 'public' | 'private' | 'gated';
  /** What the Hub says of it in lists: of its format, its size, its licence. */
  readonly tags: readonly string[];
  readonly downloads: number;
}

const LARGE = /\.(safetensors|gguf|parquet|bin|arrow)$|(^|\/)tokenizer\.json$/;

/** Whether the Hub keeps a file in LFS. */
export function isLargeFile(path: string, size: number): boolean {
  return LARGE.test(path) || size > 10_000_000;
}

/** A repository of given files, whose commit follows from them. */
export function hubRepository(
  kind: HubRepository['kind'],
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  options: Partial<
    Pick<HubRepository, 'access' | 'cardData' | 'branches' | 'tags' | 'downloads'>
  > = {},
): HubRepository {
  const all = Object.entries(files).map(([path, content]): readonly [string, HubFile] => {
    const bytes = Buffer.from(content as Uint8Array);
    return [path, { path, content: bytes, isLarge: isLargeFile(path, bytes.length) }];
  });
  const hash = createHash('sha1').update(`${kind} ${name}`);
  for (const [path, file] of all) hash.update(path).update(digestOf(file));
  return {
    kind,
    name,
    commit: hash.digest('hex'),
    branches: options.branches ?? new Set(['main']),
    files: new Map(all),
    cardData: options.cardData,
    access: options.access ?? 'public',
    tags: options.tags ?? [],
    downloads: options.downloads ?? 1,
  };
}

/** The digest by which the Hub names a file: SHA-256 in LFS, git's SHA-1 otherwise. */
export function digestOf({ content, isLarge }: HubFile): string {
  return isLarge
    ? createHash('sha256').update(content).digest('hex')
    : createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
}
