import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import type { VscodeCheckbox } from '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import { element, showText } from '../../webview/element.ts';
import { toText } from '../values.ts';
import type { Control, ControlContext } from './control.ts';

/**
 * Any of several values, each to be ticked. What the text has beside them is ticked among them, so that the
 * form never says what the text does not.
 */
export function choicesControl(
  { default: fallback, write }: ControlContext,
  options: readonly string[],
): Control {
  const root = element('div', { class: 'choices' });
  const boxes = new Map<string, { readonly value: unknown; readonly checkbox: VscodeCheckbox }>();
  let isDisabled = false;

  function add(value: unknown): void {
    const checkbox = document.createElement('vscode-checkbox');
    showText(checkbox, toText(value));
    checkbox.disabled = isDisabled;
    checkbox.addEventListener('change', () => {
      const ticked = [...boxes.values()].filter(({ checkbox }) => checkbox.checked);
      write(ticked.length === 0 ? undefined : ticked.map(({ value }) => value));
    });
    boxes.set(toText(value), { value, checkbox });
    root.append(checkbox);
  }
  for (const option of options) add(option);

  return {
    element: root,
    show: (value) => {
      const items = [value ?? fallback ?? []].flat();
      const texts = new Set(items.map(toText));
      for (const item of items) if (!boxes.has(toText(item))) add(item);
      for (const [text, { checkbox }] of boxes) {
        checkbox.checked = texts.has(text);
        checkbox.hidden = !checkbox.checked && !options.includes(text);
      }
    },
    setDisabled: (disabled) => {
      isDisabled = disabled;
      for (const { checkbox } of boxes.values()) checkbox.disabled = disabled;
    },
    setInvalid: (isInvalid) => {
      for (const { checkbox } of boxes.values()) checkbox.invalid = isInvalid;
    },
  };
}
