import { isTemplateFile } from '../../../engine/config/resolve-paths.ts';
import { countRows, type RowCount } from '../../../engine/data/count-rows.ts';
import { parseDataPath } from '../../../engine/data/data-path.ts';
import { loadDataset } from '../../../engine/data/dataset.ts';
import type { Dataset } from '../../../engine/data/dataset-builder.ts';
import type { DataOptions } from '../../../engine/data/options.ts';
import { type BadRow, isRow, type Row } from '../../../engine/data/row.ts';
import { readRows } from '../../../engine/data/rows.ts';
import { FileCache } from './file-cache.ts';
import { type KnownModel, modelFiles } from './known-models.ts';

/** How many rows at the start of a data file are looked at. */
export const SAMPLE_ROWS = 20;

/** What a data file is like, told by its beginning. */
export interface DataBeginning {
  readonly count: RowCount;
  /** The first rows that can be read; the columns of the first of them count as the file's. */
  readonly rows: readonly Row[];
  /** The first of those rows that cannot be read. */
  readonly bad?: BadRow | undefined;
}

/** Data files by their names, each perhaps with a slice; those used last are remembered. */
export class KnownData {
  readonly #beginnings = new FileCache<DataBeginning>(16);
  readonly #samples = new FileCache<Dataset>(8);

  /** @throws LorafaError as `readRows` */
  async beginning(name: string): Promise<DataBeginning> {
    const { file } = parseDataPath(name);
    return this.#beginnings.get(name, [file], async () => {
      const first = await firstRows(name);
      return { ...first, count: await countRows(name) };
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
    const { chat_template: template = '' } = options;
    const templates = isTemplateFile(template) ? [template] : [];
    return this.#samples.get(key, [file, ...templates, ...modelFiles(path)], async () => {
      const { count } = await this.beginning(name);
      // Messages name the rows where these are not all of them.
      const isWhole = count.isExact && count.rows <= SAMPLE_ROWS;
      return loadDataset([isWhole ? name : startOf(name)], known.tokenizer, options);
    });
  }
}

/** The name of the rows at the start of what `name` names. */
function startOf(name: string): string {
  const { file, start, end } = parseDataPath(name);
  return `${file}[${start}:${Math.min(end, start + SAMPLE_ROWS)}]`;
}

async function firstRows(name: string): Promise<Pick<DataBeginning, 'rows' | 'bad'>> {
  const rows: Row[] = [];
  let bad: BadRow | undefined;
  for await (const row of readRows([startOf(name)])) {
    if (isRow(row)) rows.push(row);
    else bad ??= row;
  }
  return { rows, bad };
}
