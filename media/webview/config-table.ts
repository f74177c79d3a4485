import { type ConfigRow, isDifferent } from '../../extension/runs/config-differences.ts';
import { element } from './element.ts';

/** Words of the table. */
export interface ConfigTableTexts {
  readonly key: string;
  readonly notSet: string;
  readonly noDifferences: string;
}

/** What the table shows. */
export interface ConfigTableContent {
  readonly rows: readonly ConfigRow[];
  /** Headings of the columns with values, one for each run. */
  readonly columns: readonly (Node | string)[];
  readonly onlyDifferences: boolean;
  /** Rows that come first in any case, such as what came of the runs. */
  readonly results?: readonly ConfigRow[];
}

/** Configurations side by side, a key a row; where they differ, the row is marked. */
export function configTable(
  texts: ConfigTableTexts,
  { rows, columns, onlyDifferences, results = [] }: ConfigTableContent,
): HTMLElement {
  const shown = onlyDifferences ? rows.filter(isDifferent) : rows;
  if (shown.length + results.length === 0)
    return element('p', { class: 'quiet', text: texts.noDifferences });
  return element('table', {}, [
    element('thead', {}, [
      element('tr', {}, [
        element('th', { text: texts.key, attributes: { scope: 'col' } }),
        ...columns.map((column) => element('th', { attributes: { scope: 'col' } }, [column])),
      ]),
    ]),
    element('tbody', {}, [
      ...results.map(({ key, values }) =>
        element('tr', { class: 'result' }, [
          element('th', { text: key, attributes: { scope: 'row' } }),
          ...values.map((value) => element('td', { text: value ?? '–' })),
        ]),
      ),
      ...shown.map((row) =>
        element('tr', !onlyDifferences && isDifferent(row) ? { class: 'different' } : {}, [
          element('th', { class: 'code', attributes: { scope: 'row' } }, breakable(row.key)),
          ...row.values.map((value) =>
            value === null
              ? element('td', { class: 'quiet', text: texts.notSet })
              : element('td', { class: 'code', text: value }),
          ),
        ]),
      ),
    ]),
  ]);
}

/** A key that may go on in the next line after each of its words: values need the room. */
function breakable(key: string): readonly (Node | string)[] {
  return key.split(/(?<=[._])/).flatMap((word) => [word, element('wbr')]);
}
