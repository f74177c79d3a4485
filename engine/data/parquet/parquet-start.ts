import { LorafaError, messageOf } from '../../errors.ts';
import { corruptFile } from '../file-problem.ts';
import type { Row } from '../row.ts';
import { readFooter } from './parquet-footer.ts';
import { type ReadBytes, readGroup } from './read-parquet.ts';

/** The beginning of a Parquet file. */
export interface ParquetStart {
  /** Rows of the whole file. */
  readonly count: number;
  readonly rows: readonly Row[];
}

/**
 * The first rows of a Parquet file, wherever its bytes are: its footer and its first groups are read.
 *
 * @param file its name, for messages
 * @param size bytes of the whole file
 * @param wanted rows
 * @throws LorafaError `data.corrupt`, and what `read` throws of that kind
 */
export async function parquetStart(
  file: string,
  size: number,
  wanted: number,
  read: ReadBytes,
): Promise<ParquetStart> {
  try {
    const footer = await readFooter(size, read);
    const count = Number(footer.metadata.num_rows);
    const rows: Row[] = [];
    for (const group of footer.groups.keys()) {
      if (rows.length >= wanted) break;
      const values = await readGroup(footer, group, rows.length, size, read);
      for (const value of values) {
        const line = rows.length + 1;
        rows.push({ file, line, value, progress: line / count });
      }
    }
    return { count, rows: rows.slice(0, wanted) };
  } catch (error) {
    if (error instanceof LorafaError) throw error;
    throw corruptFile(file, `${messageOf(error)}; download it again`);
  }
}
