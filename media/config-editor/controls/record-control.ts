import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { VscodeTextfield } from '@vscode-elements/elements/dist/vscode-textfield/index.js';
import { element, showText } from '../../webview/element.ts';
import { fill } from '../../webview/texts.ts';
import { isRecord, isSame, readNumber, toText } from '../values.ts';
import type { Control, ControlContext } from './control.ts';
import { setText, watchTyping } from './typing.ts';

interface Row {
  readonly element: HTMLElement;
  readonly name: VscodeTextfield;
  readonly value: VscodeTextfield;
  readonly remove: HTMLButtonElement;
}

/** Names with a number each, one per row. A row counts as soon as both of its fields are filled. */
export function recordControl({ label, texts, write }: ControlContext): Control {
  let rows: readonly Row[] = [];
  let shown: unknown;
  let isDisabled = false;
  const list = element('div', { class: 'rows' });
  const add = document.createElement('vscode-button');
  add.secondary = true;
  showText(add, texts.add);
  add.setAttribute('aria-label', fill(texts.addTo, label));
  const root = element('div', { class: 'record' }, [list, add]);

  const typing = watchTyping(list, writeRows);

  function writeRows(): boolean {
    const record = read();
    const value = Object.keys(record).length === 0 ? undefined : record;
    if (!isSame(value, shown)) write(value);
    shown = value;
    return true;
  }

  function read(): Record<string, unknown> {
    const entries = rows.map(
      ({ name, value }) => [name.value.trim(), readNumber(value.value)] as const,
    );
    return Object.fromEntries(
      entries.filter(([name, value]) => name !== '' && value !== undefined),
    );
  }

  function setRows(next: readonly Row[]): void {
    rows = next;
    list.replaceChildren(...next.map((row) => row.element));
  }

  function makeRow(): Row {
    const name = makeField(texts.name);
    const value = makeField(texts.value);
    const remove = element('button', {
      class: 'link',
      text: texts.remove,
      attributes: { type: 'button' },
    });
    const row: Row = {
      element: element('div', { class: 'row' }, [name, value, remove]),
      name,
      value,
      remove,
    };
    remove.addEventListener('click', () => {
      setRows(rows.filter((other) => other !== row));
      writeRows();
      add.focus();
    });
    return row;
  }

  function makeField(part: string): VscodeTextfield {
    const field = document.createElement('vscode-textfield');
    field.label = `${label}: ${part}`;
    field.placeholder = part;
    field.disabled = isDisabled;
    return field;
  }

  add.addEventListener('click', () => {
    const row = makeRow();
    setRows([...rows, row]);
    void row.name.updateComplete.then(() => row.name.focus());
  });

  return {
    element: root,
    show: (value) => {
      const entries = isRecord(value) ? Object.entries(value) : [];
      if (typing.isPending()) return;
      shown = value;
      // Rows that are not filled yet are nobody's but the person's.
      if (isSame(read(), Object.fromEntries(entries))) return;
      setRows(entries.map((_, index) => rows[index] ?? makeRow()));
      entries.forEach(([name, number], index) => {
        const row = rows[index]!;
        void setText(row.name, name);
        void setText(row.value, toText(number));
        row.remove.setAttribute('aria-label', fill(texts.removeEntry, name));
      });
    },
    setDisabled: (disabled) => {
      isDisabled = disabled;
      add.disabled = disabled;
      for (const { name, value, remove } of rows) {
        name.disabled = disabled;
        value.disabled = disabled;
        remove.disabled = disabled;
      }
    },
    setInvalid: (isInvalid) => {
      for (const { value } of rows) value.invalid = isInvalid;
    },
  };
}
