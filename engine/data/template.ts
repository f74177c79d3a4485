import { LorafaError } from '../errors.ts';
import { requireColumn, textOf } from './columns.ts';
import type { Row } from './row.ts';

/** Text with `{column}` in place of a column's value; `{{` and `}}` stand for braces. */
export class RowTemplate {
  /** Literal text and columns in turn: even places are text, odd places are columns. */
  readonly #parts: readonly string[];

  /**
   * @param setting the key it comes from, for errors.
   * @throws LorafaError `config.invalid_value` for a brace without its counterpart.
   */
  constructor(text: string, setting: string) {
    const parts: string[] = [''];
    for (const [token, column] of text.matchAll(/\{\{|\}\}|\{([^{}]+)\}|[^{}]+|./gs)) {
      if (column !== undefined) {
        parts.push(column.trim(), '');
        continue;
      }
      if (token === '{' || token === '}') {
        throw new LorafaError(
          'config.invalid_value',
          `data.${setting} has a "${token}" without its counterpart; write {column} for a column and ${token}${token} for the brace itself.`,
        );
      }
      parts[parts.length - 1] += token === '{{' || token === '}}' ? token[0]! : token;
    }
    this.#parts = parts;
  }

  /** The columns that it names, in their order. */
  get columns(): readonly string[] {
    return this.#parts.filter((_, index) => index % 2 === 1);
  }

  /** @throws LorafaError `data.missing_column` when the row lacks a column of the template. */
  requireColumns(row: Row): void {
    for (const column of this.columns) requireColumn(column, row);
  }

  /** The text for one row. @throws RowError when a column holds no text. */
  render(row: Row): string {
    return this.#parts.map((part, index) => (index % 2 === 0 ? part : textOf(row, part))).join('');
  }
}
