import { stat } from 'node:fs/promises';
import path from 'node:path';
import { readBoundedFile } from '../../engine/bounded-file.ts';
import { CachedRepository, repositoryOf } from '../../engine/hub/hub-cache.ts';
import { parseHubName } from '../../engine/hub/hub-name.ts';
import { hubSettings } from '../../engine/hub/hub-settings.ts';
import type { HubSource } from '../../engine/inputs/hub-source.ts';

/** The licence of a model as the head of a card on the Hub has it. */
export interface License {
  /** One of the Hub's identifiers: `apache-2.0`, `llama3.2`, `other`. */
  readonly license: string;
  /** What the makers call it, where it is `other`. */
  readonly license_name?: string;
  /** Where it can be read, where it is `other`: an address. */
  readonly license_link?: string;
}

/** Cards and licences are shorter. */
const MAX_BYTES = 2 ** 20;

/** Licences that have no other text than their own. */
const KNOWN_TEXTS: readonly (readonly [start: RegExp, license: string])[] = [
  [/^\s*Apache License\s+Version 2\.0,/, 'apache-2.0'],
  [/^\s*(The )?MIT License\b/i, 'mit'],
];

/**
 * The licence of a base model, from the head of its card or from its licence's text, where they lie beside it.
 * Nobody is asked, and nothing is guessed.
 *
 * @param base a path, or a name on the Hub, of which is read what the cache has
 * @param sources what names on the Hub stood for in the run
 */
export async function baseLicense(
  base: string,
  sources: readonly HubSource[] = [],
): Promise<License | null> {
  const folder = await folderOf(base, sources);
  if (folder === undefined) return null;
  const card = await textOf(path.join(folder, 'README.md'));
  const declared = card === undefined ? null : declaredLicense(card);
  if (declared !== null) return declared;
  for (const name of ['LICENSE', 'LICENSE.txt', 'LICENSE.md']) {
    const text = await textOf(path.join(folder, name));
    const known = KNOWN_TEXTS.find(([start]) => text !== undefined && start.test(text));
    if (known !== undefined) return { license: known[1] };
  }
  return null;
}

/** The folder whose card is the model's: not that of a file that somebody put anywhere. */
async function folderOf(base: string, sources: readonly HubSource[]): Promise<string | undefined> {
  const named = parseHubName(base);
  if (named !== undefined) {
    const { repository: name, revision } = named;
    const cached = new CachedRepository(hubSettings().cacheFolder, { kind: 'model', name });
    const source = sources.find(({ use, name }) => use === 'model' && name === base);
    const commit = source?.commit ?? (await cached.commitOf(revision));
    return commit === undefined ? undefined : cached.snapshot(commit);
  }
  const found = await stat(base).catch(() => undefined);
  if (found?.isDirectory()) return base;
  const inCache = repositoryOf(base);
  if (found === undefined || inCache === undefined) return undefined;
  return base.slice(0, base.length - inCache.file.length - 1);
}

/** What the front matter of a card says; null where that is nothing. */
function declaredLicense(card: string): License | null {
  const [, head = ''] = /^---\r?\n(.*?)\r?\n---/s.exec(card) ?? [];
  const fieldOf = (key: string): string | undefined => {
    const value = new RegExp(`^${key}:[ \\t]*(?:"([^"\\n]*)"|'([^'\\n]*)'|([^\\s#]+))`, 'm').exec(
      head,
    );
    return value?.[1] ?? value?.[2] ?? value?.[3];
  };
  const license = fieldOf('license');
  if (license === undefined || !/^[a-z0-9][a-z0-9.-]{0,63}$/.test(license)) return null;
  if (license !== 'other') return { license };
  const [name, link] = [fieldOf('license_name'), fieldOf('license_link')];
  return {
    license,
    ...(name !== undefined && /^[\w.-]{1,64}$/.test(name) && { license_name: name }),
    // Others lead to a file of the base's own repository.
    ...(link !== undefined && URL.canParse(link) && link.length <= 300 && { license_link: link }),
  };
}

async function textOf(file: string): Promise<string | undefined> {
  return readBoundedFile(file, MAX_BYTES).then(String, () => undefined);
}
