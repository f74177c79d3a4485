import type { FileHead } from '../formats/file-head.ts';
import { type GgufPart, openGgufPart } from './gguf-part.ts';
import { openSplit, partCount } from './gguf-split.ts';

/** A GGUF model, of one file or of several; the data stays on disk. */
export interface GgufFile extends GgufPart {
  /** Paths of all its files with symbolic links resolved, the first part first. */
  readonly files: readonly string[];
}

/**
 * Opens a GGUF model by its file, or by any of the parts that it was split into.
 *
 * @param heads what is known of files that are not here, by their paths
 * @throws LorafaError as `openGgufPart` and `openSplit`
 */
export async function openGguf(
  path: string,
  heads: ReadonlyMap<string, FileHead> = new Map(),
): Promise<GgufFile> {
  const named = await openGgufPart(path, heads.get(path));
  if (partCount(named) > 1) return openSplit(named, heads);
  return { ...named, files: [named.file] };
}
