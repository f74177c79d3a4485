import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { messageOf } from '../errors.ts';
import { cannotRead, corruptFile } from './file-problem.ts';
import { decodeUtf8 } from './lines.ts';
import type { Row } from './row.ts';

/**
 * Apache Parquet, one row group in memory at a time. `line` is the number of the row.
 *
 * @throws LorafaError `data.not_found` when the file cannot be read, `data.corrupt` when it is
 * damaged, cut short or holds text that is not valid UTF-8.
 */
export async function* readParquet(file: string): AsyncGenerator<Row> {
  const buffer = await openFile(file);
  const metadata = await orCorrupt(file, () => parquetMetadataAsync(buffer));
  const total = Number(metadata.num_rows);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await orCorrupt(file, () => readRows(buffer, metadata, rowStart, rowEnd));
    for (const [index, value] of rows.entries()) {
      const line = rowStart + index + 1;
      yield { file, line, value, progress: line / total };
    }
    rowStart = rowEnd;
  }
}

function readRows(
  file: AsyncBuffer,
  metadata: FileMetaData,
  rowStart: number,
  rowEnd: number,
): Promise<Readonly<Record<string, unknown>>[]> {
  return parquetReadObjects({
    file,
    metadata,
    rowStart,
    rowEnd,
    compressors,
    rowFormat: 'object',
    parsers: { stringFromBytes },
  });
}

/** Unlike the library's own parser, refuses bytes that are not UTF-8 instead of replacing them. */
function stringFromBytes(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new Error('a text is not valid UTF-8');
  return text;
}

async function openFile(file: string): Promise<AsyncBuffer> {
  try {
    return await asyncBufferFromFile(file);
  } catch (error) {
    throw cannotRead(file, error);
  }
}

async function orCorrupt<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw corruptFile(file, `${messageOf(error)}; write or download it again`);
  }
}
