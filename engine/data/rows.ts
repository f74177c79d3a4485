import { dataFormat } from './data-format.ts';
import { parseDataPath } from './data-path.ts';
import type { BadRow, Row } from './row.ts';

/**
 * The rows of several data files, one file after the other, bad rows among them. The format is
 * told by the file's extension; a path may end in a row slice (see {@link parseDataPath}).
 * `progress` runs from 0 to 1 over all files.
 *
 * @throws LorafaError `data.not_found`, `data.corrupt`, or `config.invalid_value` for a path of
 * an unknown format or with an impossible slice.
 */
export async function* readRows(paths: readonly string[]): AsyncGenerator<Row | BadRow> {
  // All paths are checked before the first file is read.
  const sources = paths.map((text) => {
    const place = parseDataPath(text);
    return { ...place, format: dataFormat(place.file) };
  });
  for (const [sourceIndex, { file, start, end, format }] of sources.entries()) {
    let index = -1;
    for await (const row of format.read(file)) {
      index += 1;
      if (index < start) continue;
      const progress = Math.max(row.progress, (index + 1 - start) / (end - start));
      yield { ...row, progress: (sourceIndex + progress) / sources.length };
      if (index + 1 === end) break;
    }
  }
}
