import { statfs } from 'node:fs/promises';
import path from 'node:path';

/** Disk space that is left to others. */
const SPARE_BYTES = 2 ** 26;

/**
 * Bytes that can be written into a folder, which need not exist yet.
 */
export async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return Math.max(0, bavail * bsize - SPARE_BYTES);
  } catch (error) {
    // What is wrong with it will be told when it is written to.
    const parent = path.dirname(folder);
    if (parent === folder) throw error;
    return freeBytes(parent);
  }
}
