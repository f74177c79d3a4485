import { createHash } from 'node:crypto';
import { openRegularFile } from '../bounded-file.ts';
import type { LinkRule } from '../plain-file.ts';

/** Size and SHA-256 of what a file holds. */
export interface FileDigest {
  readonly bytes: number;
  /** In hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Reads a regular file through.
 *
 * @throws Error as `openRegularFile`
 */
export async function digestFile(file: string, links: LinkRule = 'follow'): Promise<FileDigest> {
  const { handle } = await openRegularFile(file, links);
  const hash = createHash('sha256');
  let bytes = 0;
  // The stream closes the file.
  for await (const chunk of handle.createReadStream({ highWaterMark: 1 << 20 })) {
    hash.update(chunk as Uint8Array);
    bytes += (chunk as Uint8Array).byteLength;
  }
  return { bytes, sha256: hash.digest('hex') };
}
