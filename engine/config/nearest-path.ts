import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { nearestName } from './nearest-name.ts';

/** A path with one name in it that was probably misspelt. */
export interface NearestPath {
  /** The path that was probably meant; it exists. */
  readonly path: string;
  /** The name that is not there, and the one that was meant. */
  readonly wrong: string;
  readonly right: string;
}

/**
 * The path that was probably meant by one that leads nowhere: the first name in it that is not there
 * is taken for the nearest one in its folder.
 *
 * @param missing an absolute path
 * @param suits whether a file of this name could be what is looked for; folders always could
 * @returns undefined where there is something at the path, or nothing of a name like it
 */
export async function nearestPath(
  missing: string,
  suits: (name: string) => boolean,
): Promise<NearestPath | undefined> {
  const { root } = path.parse(missing);
  const parts = missing
    .slice(root.length)
    .split(path.sep)
    .filter((part) => part !== '');
  let folder = root;
  for (const [index, wrong] of parts.entries()) {
    if (await exists(path.join(folder, wrong))) {
      folder = path.join(folder, wrong);
      continue;
    }
    const rest = parts.slice(index + 1);
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const names = entries
      .filter(
        (entry) =>
          entry.isDirectory() || entry.isSymbolicLink() || (rest.length === 0 && suits(entry.name)),
      )
      .map(({ name }) => name);
    const right = nearestName(wrong, names);
    if (right === undefined) return undefined;
    const near = path.join(folder, right, ...rest);
    return (await exists(near)) ? { path: near, wrong, right } : undefined;
  }
  return undefined;
}

/**
 * A path as a person wrote it, perhaps with rows in brackets behind it, with the right name in the place
 * of the wrong one; as it is where that is not in it.
 */
export function respelt(written: string, { wrong, right }: NearestPath): string {
  const names = written.split(/([/\\])/);
  const at = names.findLastIndex((name) => name === wrong || name.startsWith(`${wrong}[`));
  return at === -1 ? written : names.with(at, right + names[at]!.slice(wrong.length)).join('');
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
