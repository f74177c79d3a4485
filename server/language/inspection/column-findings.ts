import { type ConfigPath, formatPath } from '../../../engine/config/config-error.ts';
import { nearestName } from '../../../engine/config/nearest-name.ts';
import { setValue } from '../../../engine/config/path-problem.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { listColumns } from '../../../engine/data/columns.ts';
import type { Row } from '../../../engine/data/row.ts';
import { RowTemplate } from '../../../engine/data/template.ts';
import { type Finding, finding, findingOf } from './finding.ts';

/** Keys of section `data` whose value is the name of a column. */
export const COLUMN_KEYS = [
  'text_column',
  'prompt_column',
  'completion_column',
  'messages_column',
] as const;

/** Keys of section `data` whose value names columns in braces. */
export const TEMPLATE_KEYS = ['prompt_template', 'completion_template'] as const;

/** Columns that a configuration names and a data file does not have. */
export function columnFindings(data: ResolvedConfig['data'], row: Row): readonly Finding[] {
  const named = COLUMN_KEYS.flatMap((key) => {
    const column = data[key];
    return column === undefined ? [] : missingColumn(key, column, row, (name) => name);
  });
  return [...named, ...TEMPLATE_KEYS.flatMap((key) => templateFindings(key, data[key], row))];
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

/** @param corrected the value of the key with the right name of the column in it */
function missingColumn(
  key: string,
  column: string,
  row: Row,
  corrected: (name: string) => string,
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
      near === undefined ? [] : [setValue(path, corrected(near))],
    ),
  ];
}

/** The template with another column in the place of one; doubled braces are text. */
function replaceColumn(template: string, column: string, name: string): string {
  return template.replace(/\{\{|\}\}|\{([^{}]+)\}/g, (token, named: string | undefined) =>
    named?.trim() === column ? `{${name}}` : token,
  );
}
