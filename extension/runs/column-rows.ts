import * as vscode from 'vscode';
import type { ColumnMapping } from '../../engine/data/guess-columns.ts';
import type { DataSample } from '../../server/protocol/data.ts';
import type { PickRow } from '../show/quick-input.ts';
import type { PickHeading } from '../show/quick-steps.ts';

/** What is learned of the columns of a file; `auto`: as they are recognised by their names. */
export type Learned = ColumnMapping | { readonly kind: 'auto' };

/** A row that settles what is learned, or names the column with what the model is to write. */
export interface ColumnRow extends PickRow {
  readonly choice: Learned | { readonly kind: 'column'; readonly column: string };
}

/** Characters that fit into a line. */
const LINE_LENGTH = 78;
/** Between the values of a line. */
const SEPARATOR = ' │ ';

/** What is probably to be learned, then every column with its first values. */
export function learnedRows(sample: DataSample): readonly (ColumnRow | PickHeading)[] {
  const suggestion = suggestionRow(sample);
  return [
    ...(suggestion === undefined ? [] : [{ heading: vscode.l10n.t('suggested') }, suggestion]),
    { heading: vscode.l10n.t('columns') },
    ...sample.columns.map((column) => ({
      ...columnRow(sample, column),
      choice: { kind: 'column' as const, column },
    })),
  ];
}

/** What the column that is learned is the answer to: another one, or nothing. */
export function promptRows(sample: DataSample, completion: string): readonly ColumnRow[] {
  const isConversation =
    sample.guess?.kind === 'messages' && sample.guess.messages_column === completion;
  const nothing: ColumnRow = {
    icon: 'symbol-text',
    label: vscode.l10n.t('Nothing: learn all of “{0}”', completion),
    choice: isConversation
      ? { kind: 'messages', messages_column: completion }
      : { kind: 'text', text_column: completion },
  };
  const others = sample.columns
    .filter((column) => column !== completion)
    .map((prompt) => ({
      ...columnRow(sample, prompt),
      choice: {
        kind: 'prompt_completion' as const,
        prompt_column: prompt,
        completion_column: completion,
      },
    }));
  return isConversation ? [nothing, ...others] : [...others, nothing];
}

function suggestionRow({ recognised, guess, rows }: DataSample): ColumnRow | undefined {
  if (recognised !== null) {
    return {
      icon: 'check',
      label: vscode.l10n.t('Learn {0}', recognised),
      description: vscode.l10n.t('recognised by the names of the columns'),
      ...(guess !== null && { detail: exampleOf(guess, rows[0]) }),
      choice: { kind: 'auto' },
    };
  }
  if (guess === null) return undefined;
  return {
    icon: 'check',
    label: describeMapping(guess),
    detail: exampleOf(guess, rows[0]),
    choice: guess,
  };
}

/** What is learned, in words. */
export function describeMapping(mapping: ColumnMapping): string {
  switch (mapping.kind) {
    case 'text':
      return vscode.l10n.t('Learn all of “{0}”', mapping.text_column);
    case 'prompt_completion':
      return vscode.l10n.t(
        'Learn “{0}” from “{1}”',
        mapping.completion_column,
        mapping.prompt_column,
      );
    case 'messages':
      return vscode.l10n.t('Learn the answers in “{0}”', mapping.messages_column);
  }
}

function exampleOf(mapping: ColumnMapping, row: Readonly<Record<string, string>> = {}): string {
  const shown = (column: string): string => shortValue(row[column] ?? '', LINE_LENGTH / 2);
  switch (mapping.kind) {
    case 'text':
      return shown(mapping.text_column);
    case 'prompt_completion':
      return `${shown(mapping.prompt_column)} → ${shown(mapping.completion_column)}`;
    case 'messages':
      return shown(mapping.messages_column);
  }
}

function columnRow({ rows }: DataSample, column: string): PickRow {
  return {
    icon: 'symbol-field',
    label: column,
    detail: inOneLine(rows.map((row) => row[column] ?? '')),
  };
}

/** All values, each with its share of a line; what short ones leave is for the others. */
function inOneLine(values: readonly string[]): string {
  const lengths = values.map(({ length }) => length).toSorted((a, b) => a - b);
  let left = LINE_LENGTH - SEPARATOR.length * (values.length - 1);
  let share = 0;
  for (const [index, length] of lengths.entries()) {
    share = Math.floor(left / (lengths.length - index));
    left -= Math.min(length, share);
  }
  return values.map((value) => shortValue(value, Math.max(1, share))).join(SEPARATOR);
}

function shortValue(value: string, length: number): string {
  const line = value.replaceAll(/\s+/g, ' ').trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
