import { type ConfigPath, formatPath } from '../../../engine/config/config-error.ts';
import { nearestName } from '../../../engine/config/nearest-name.ts';
import { type Remedy, setValue } from '../../../engine/config/path-problem.ts';
import { type ColumnKey, listColumns } from '../../../engine/data/columns.ts';
import type { DataOptions } from '../../../engine/data/options.ts';
import type { Row } from '../../../engine/data/row.ts';
import { recogniseShape } from '../../../engine/data/shapes.ts';
import { RowTemplate } from '../../../engine/data/template.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { mappingRemedies, pairRemedies } from './column-remedies.ts';
import { type Finding, finding, findingOf } from './finding.ts';

/** Keys of section `data` whose value is the name of a column. */
export const COLUMN_KEYS: readonly ColumnKey[] = [
  'text_column',
  'prompt_column',
  'completion_column',
  'messages_column',
];

/** Keys of section `data` whose value names columns in braces. */
export const TEMPLATE_KEYS = ['prompt_template', 'completion_template'] as const;

/**
 * Columns that a configuration names and a data file does not have, and rows that nothing is said
 * about.
 *
 * @param rows the first rows of the file, at least one
 * @param path the key that names the file
 */
export function columnFindings(
  data: DataOptions,
  rows: readonly [Row, ...Row[]],
  path: ConfigPath,
): readonly Finding[] {
  const [row] = rows;
  const named = COLUMN_KEYS.flatMap((key) => {
    const column = data[key];
    if (column === undefined) return [];
    return missingColumn(
      key,
      column,
      row,
      (name) => name,
      () => pairRemedies(key, data, rows),
    );
  });
  const inTemplates = TEMPLATE_KEYS.flatMap((key) => templateFindings(key, data[key], row));
  const found = [...named, ...inTemplates];
  return found.length > 0 ? found : shapeFindings(data, rows, path);
}

/** Rows of which it cannot be told what is learned, with what could be. */
function shapeFindings(
  data: DataOptions,
  rows: readonly [Row, ...Row[]],
  path: ConfigPath,
): readonly Finding[] {
  try {
    recogniseShape(rows[0], data);
    return [];
  } catch (error) {
    if (!(error instanceof LorafaError) || error.code !== 'data.missing_column') throw error;
    const given = COLUMN_KEYS.find((key) => data[key] !== undefined);
    if (given !== undefined) {
      return [findingOf(error, ['data', given], pairRemedies(given, data, rows))];
    }
    const place = data.format === 'auto' ? path : ['data', 'format'];
    return [findingOf(error, place, mappingRemedies(data.format, rows))];
  }
}

function templateFindings(
  key: (typeof TEMPLATE_KEYS)[number],
  text: string | undefined,
  row: Row,
): readonly Finding[] {
  if (text === undefined) return [];
  let columns: readonly string[];
  try {
    ({ columns } = new RowTemplate(text, key));
  } catch (error) {
    return [findingOf(error, ['data', key])];
  }
  return [...new Set(columns)].flatMap((column) =>
    missingColumn(key, column, row, (name) => replaceColumn(text, column, name)),
  );
}

/**
 * @param corrected the value of the key with the right name of the column in it
 * @param others what would help where no name is near
 */
function missingColumn(
  key: string,
  column: string,
  row: Row,
  corrected: (name: string) => string,
  others: () => readonly Remedy[] = () => [],
): readonly Finding[] {
  if (Object.hasOwn(row.value, column)) return [];
  const path: ConfigPath = ['data', key];
  const near = nearestName(column, Object.keys(row.value));
  const advice = near === undefined ? 'name one of these' : `did you mean "${near}"?`;
  return [
    finding(
      'error',
      path,
      'data.missing_column',
      `\`${formatPath(path)}\` names the column "${column}", but ${row.file} has ${listColumns(row)}: ${advice}`,
      near === undefined ? others() : [setValue(path, corrected(near))],
    ),
  ];
}

/** The template with another column in the place of one; doubled braces are text. */
function replaceColumn(template: string, column: string, name: string): string {
  return template.replace(/\{\{|\}\}|\{([^{}]+)\}/g, (token, named: string | undefined) =>
    named?.trim() === column ? `{${name}}` : token,
  );
}
