/** What a name means on the Hugging Face Hub: `owner/name`, `owner/name@revision`, `owner/name:part`. */
export interface HubName {
  /** `owner/name`. */
  readonly repository: string;
  /** A branch, a tag or a commit; `main` where the name does not say. */
  readonly revision: string;
  /** A file of the repository, or a split or folder of a data set; undefined: what is usual. */
  readonly part: string | undefined;
  /** The rows of data that are wanted, as they are written: `[:1000]`, or nothing. */
  readonly slice: string;
}

const HUB_NAME =
  /^(?<repository>\w[\w.-]*\/\w[\w.-]*)(?:@(?<revision>[^\s:@[\]\\]+))?(?::(?<part>[^:[\]\\]+))?(?<slice>\[[^[\]]*\])?$/;

/** The name of a file in a folder of the same form; a repository of such a name has a file's path before it. */
const FILE_NAME = /\.(jsonl?|csv|tsv|parquet|arrow|txt|gguf|safetensors|gz|zst)$/i;

/** What the Hub takes for no name of a repository, and what would lead out of a folder. */
const UNUSABLE = /\.\.|--|[.-](\/|$)/;

/**
 * Reads a name of the Hub. Whether something of that name lies on this machine, which goes first, is
 * not looked at.
 *
 * @returns undefined for what can only be a path
 */
export function parseHubName(name: string): HubName | undefined {
  const { repository, revision = 'main', part, slice = '' } = HUB_NAME.exec(name)?.groups ?? {};
  if (repository === undefined || UNUSABLE.test(repository) || FILE_NAME.test(repository)) {
    return undefined;
  }
  return isSafePath(revision) && (part === undefined || isSafePath(part))
    ? { repository, revision, part, slice }
    : undefined;
}

/**
 * Whether a relative path, with `/` between its parts, stays below the folder that it starts at on any system, and is
 * one line wherever it is written.
 */
export function isSafePath(name: string): boolean {
  const isPlain = !/[\\:\p{Cc}\p{Zl}\p{Zp}]/u.test(name);
  return isPlain && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
