import type { Remedy } from '../../../engine/config/path-problem.ts';
import type { ColumnKey } from '../../../engine/data/columns.ts';
import { type ColumnMapping, guessMapping } from '../../../engine/data/guess-columns.ts';
import type { RowOptions } from '../../../engine/data/options.ts';
import type { Row } from '../../../engine/data/row.ts';
import { recogniseShape } from '../../../engine/data/shapes.ts';

/** Nobody reads a longer list of quick fixes. */
const MOST_REMEDIES = 4;

/**
 * What could be learned from rows that nothing is said about: the likeliest first, prompt and
 * completion the other way round, then each of the two alone.
 *
 * @param format `data.format`: other shapes are no remedy
 */
export function mappingRemedies(
  format: RowOptions['format'],
  rows: readonly Row[],
): readonly Remedy[] {
  const guess = guessMapping(rows.map(({ value }) => value));
  if (guess === undefined) return [];
  return [guess, ...othersThan(guess)]
    .filter(({ kind }) => format === 'auto' || kind === format)
    .slice(0, MOST_REMEDIES)
    .map(mappingRemedy);
}

/**
 * What could be meant by a key that names a column: the pair of prompt and completion that keeps
 * what is right of it; for other keys the column that is likeliest of their kind.
 */
export function pairRemedies(
  key: ColumnKey,
  data: RowOptions,
  rows: readonly Row[],
): readonly Remedy[] {
  const isColumn = (name: string | undefined): name is string =>
    name !== undefined && Object.hasOwn(rows[0]!.value, name);
  const isPair = key === 'prompt_column' || key === 'completion_column';
  const { prompt_column: prompt, completion_column: completion } = data;
  const taken = isPair ? [prompt, completion].filter(isColumn) : [];
  const guess = guessMapping(
    rows.map(({ value }) =>
      Object.fromEntries(Object.entries(value).filter(([name]) => !taken.includes(name))),
    ),
  );
  if (guess === undefined) return [];
  if (!isPair) return keyOf(guess) === key ? [mappingRemedy(guess)] : [];
  if (guess.kind === 'messages') return [];
  const [first, second] =
    guess.kind === 'text'
      ? [guess.text_column, guess.text_column]
      : [guess.prompt_column, guess.completion_column];
  const pair = {
    kind: 'prompt_completion',
    prompt_column: isColumn(prompt) ? prompt : first,
    completion_column: isColumn(completion) ? completion : second,
  } as const;
  return pair.prompt_column === pair.completion_column ? [] : [mappingRemedy(pair)];
}

/** Templates that write the same columns, or the same text, with a line break before the completion. */
export function separatorRemedies(data: RowOptions, row: Row): readonly Remedy[] {
  const { kind, pair } = recogniseShape(row, data);
  const { prompt_template: template } = data;
  if (kind === 'template' && template !== undefined) {
    const values = [{ path: ['data', 'prompt_template'], value: `${template}\n` }];
    return [{ kind: 'set', values, title: 'End the prompt with a line break' }];
  }
  // A template cannot name a column that has braces in its own name.
  if (pair === undefined || /[{}]/.test(pair.prompt + pair.completion)) return [];
  const values = [
    { path: ['data', 'prompt_template'], value: `{${pair.prompt}}\n` },
    { path: ['data', 'completion_template'], value: `{${pair.completion}}` },
    ...(data.format === 'auto' ? [] : [{ path: ['data', 'format'], value: 'template' }]),
  ];
  const removes = (['prompt_column', 'completion_column'] as const)
    .filter((key) => data[key] !== undefined)
    .map((key) => ['data', key]);
  const title = `Write a line break between "${pair.prompt}" and "${pair.completion}"`;
  return [{ kind: 'set', values, removes, title }];
}

function keyOf(mapping: ColumnMapping): string | undefined {
  return Object.keys(mapping).find((name) => name !== 'kind');
}

function othersThan(guess: ColumnMapping): readonly ColumnMapping[] {
  if (guess.kind !== 'prompt_completion') return [];
  const { prompt_column: prompt, completion_column: completion } = guess;
  return [
    { kind: 'prompt_completion', prompt_column: completion, completion_column: prompt },
    { kind: 'text', text_column: completion },
    { kind: 'text', text_column: prompt },
  ];
}

function mappingRemedy(mapping: ColumnMapping): Remedy {
  const { kind: _, ...keys } = mapping;
  return {
    kind: 'set',
    values: Object.entries(keys).map(([key, value]) => ({
      path: ['data', key],
      value,
    })),
    title: titleOf(mapping),
  };
}

function titleOf(mapping: ColumnMapping): string {
  switch (mapping.kind) {
    case 'text':
      return `Learn all of "${mapping.text_column}"`;
    case 'prompt_completion':
      return `Learn "${mapping.completion_column}" from "${mapping.prompt_column}"`;
    case 'messages':
      return `Learn the answers in "${mapping.messages_column}"`;
  }
}
