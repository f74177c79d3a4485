import { countRows, type RowCount } from '../../../engine/data/count-rows.ts';
import { parseDataPath } from '../../../engine/data/data-path.ts';
import { type Dataset, loadDataset } from '../../../engine/data/dataset.ts';
import type { DataOptions } from '../../../engine/data/options.ts';
import { isRow, type Row } from '../../../engine/data/row.ts';
import { readRows } from '../../../engine/data/rows.ts';
import { FileCache } from './file-cache.ts';
import { type KnownModel, modelFiles } from './known-models.ts';

/** How many rows at the start of a data file are looked at. */
export const SAMPLE_ROWS = 20;

/** What a data file is like, told by its beginning. */
export interface DataBeginning {
  readonly count: RowCount;
  /** The first row that can be read, whose columns count as the file's; undefined if none can. */
  readonly firstRow: Row | undefined;
}

/** Data files by their names, each perhaps with a slice; those used last are remembered. */
export class KnownData {
  readonly #beginnings = new FileCache<DataBeginning>(16);
  readonly #samples = new FileCache<Dataset>(8);

  /** @throws LorafaError as `readRows` */
  async beginning(name: string): Promise<DataBeginning> {
    const { file } = parseDataPath(name);
    return this.#beginnings.get(name, [file], async () => {
      const firstRow = await firstReadableRow(name);
      return { firstRow, count: await countRows(name) };
    });
  }

  /**
   * The first rows as a run would learn them.
   *
   * @throws LorafaError as `loadDataset`
   */
  async sample(name: string, known: KnownModel, options: DataOptions): Promise<Dataset> {
    const { file } = parseDataPath(name);
    const { path } = known.model;
    const key = JSON.stringify([name, path, options]);
    return this.#samples.get(key, [file, ...modelFiles(path)], () =>
      loadDataset([startOf(name)], known.tokenizer, options),
    );
  }
}

/** The name of the rows at the start of what `name` names. */
function startOf(name: string): string {
  const { file, start, end } = parseDataPath(name);
  return `${file}[${start}:${Math.min(end, start + SAMPLE_ROWS)}]`;
}

async function firstReadableRow(name: string): Promise<Row | undefined> {
  for await (const row of readRows([startOf(name)])) if (isRow(row)) return row;
  return undefined;
}
