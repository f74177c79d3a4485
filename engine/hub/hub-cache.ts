import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { readBoundedFile } from '../bounded-file.ts';
import { parseHubName } from './hub-name.ts';
import { isCommit, type Repository } from './repository.ts';

/*
 * The cache of Python's huggingface_hub: `models--owner--name/` with `blobs/DIGEST`, which
 * `snapshots/COMMIT/FILE` link to, and `refs/REVISION`, which holds a commit.
 */

/** The name of a commit, and a line break. */
const MAX_REF_BYTES = 64;

/** Deeper than any repository that can be used here. */
const MAX_DEPTH = 8;

/** The places of one repository in the cache. */
export class CachedRepository {
  readonly folder: string;
  /** Held by the process that downloads. */
  readonly lockFile: string;

  constructor(cacheFolder: string, { kind, name }: Repository) {
    const own = [`${kind}s`, ...name.split('/')].join('--');
    this.folder = path.join(cacheFolder, own);
    this.lockFile = path.join(cacheFolder, '.locks', own, 'lorafa.lock');
  }

  snapshot(commit: string): string {
    return path.join(this.folder, 'snapshots', commit);
  }

  /** The folder of all blobs. */
  get blobs(): string {
    return path.join(this.folder, 'blobs');
  }

  blob(digest: string): string {
    return path.join(this.blobs, digest);
  }

  ref(revision: string): string {
    return path.join(this.folder, 'refs', ...revision.split('/'));
  }

  /** The commit that a revision was when it was last asked for; undefined if it never was. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    const bytes = await readBoundedFile(this.ref(revision), MAX_REF_BYTES).catch(() => undefined);
    const commit = bytes?.toString('utf8').trim();
    return commit !== undefined && isCommit(commit) ? commit : undefined;
  }

  /** The files of a commit that are here, with `/` between the parts of their names. */
  async files(commit: string): Promise<readonly string[]> {
    const files: string[] = [];
    const look = async (folder: string, prefix: string, depth: number): Promise<void> => {
      for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
        const name = `${prefix}${entry.name}`;
        const place = path.join(folder, entry.name);
        if (!entry.isDirectory()) {
          // A link may lead to a blob that was removed.
          if (await isFile(place)) files.push(name);
        } else if (depth > 0) await look(place, `${name}/`, depth - 1);
      }
    };
    await look(this.snapshot(commit), '', MAX_DEPTH);
    return files.sort();
  }
}

/** The repository and commit that a path in a cache belongs to: the folder of a snapshot, or a file in it. */
export function repositoryOf(
  place: string,
): (Repository & { readonly commit: string; readonly file: string }) | undefined {
  const parts = place.split(/[\\/]/);
  const at = parts.lastIndexOf('snapshots');
  const commit = parts[at + 1] ?? '';
  const [kinds, owner, name, ...rest] = (parts[at - 1] ?? '').split('--');
  if (!isCommit(commit) || rest.length > 0) return undefined;
  if (kinds !== 'models' && kinds !== 'datasets') return undefined;
  const kind = kinds === 'models' ? 'model' : 'dataset';
  const repository = `${owner}/${name}`;
  // Anybody may call a folder anything.
  if (parseHubName(repository)?.repository !== repository) return undefined;
  return { kind, name: repository, commit, file: parts.slice(at + 2).join('/') };
}

/** What the Hub calls a model whose folder is a snapshot in a cache; undefined for any other. */
export function publishedModel(
  folder: string,
): { readonly name: string; readonly commit: string } | undefined {
  const found = repositoryOf(path.resolve(folder));
  return found?.kind === 'model' && found.file === '' ? found : undefined;
}

function isFile(place: string): Promise<boolean> {
  return stat(place).then(
    (found) => found.isFile(),
    () => false,
  );
}
