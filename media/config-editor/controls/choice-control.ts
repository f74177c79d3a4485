import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import type { VscodeSingleSelect } from '@vscode-elements/elements/dist/vscode-single-select/index.js';
import type { ChoiceValue } from '../../../server/language/config-form.ts';
import { showText } from '../../webview/element.ts';
import { toText } from '../values.ts';
import type { Control, ControlContext } from './control.ts';

/** An entry of a list to choose from. */
export interface ChoiceOption {
  readonly value: string;
  readonly label: string;
}

/** Makes a list to choose from. */
export function makeSelect(label: string, options: readonly ChoiceOption[]): VscodeSingleSelect {
  const select = document.createElement('vscode-single-select');
  select.label = label;
  for (const option of options) addOption(select, option);
  return select;
}

/** The entry for a key without a default that is left out. */
const NOT_SET = '\u0000';

/**
 * A value among several. A left-out key shows its default; a value of the text that is none of the
 * options is shown among them, so that the form never says what the text does not.
 */
export function choiceControl(
  { label, default: fallback, texts, write }: ControlContext,
  options: readonly ChoiceValue[],
): Control {
  const known = options.map((option) => ({ value: toText(option), label: toText(option) }));
  const notSet = { value: NOT_SET, label: texts.notSet };
  const select = makeSelect(label, fallback === undefined ? [notSet, ...known] : known);
  select.addEventListener('change', () => {
    const { value } = select;
    if (value === NOT_SET) write(undefined);
    else write(options.find((option) => toText(option) === value) ?? value);
  });
  return {
    element: select,
    show: (value) => {
      const effective = value ?? fallback;
      const text = effective === undefined ? NOT_SET : toText(effective);
      if (select.value === text) return;
      const isOption = [...select.children].some((option) => option.getAttribute('value') === text);
      if (!isOption) addOption(select, { value: text, label: text });
      select.value = text;
    },
    setDisabled: (isDisabled) => {
      select.disabled = isDisabled;
    },
    setInvalid: (isInvalid) => {
      select.invalid = isInvalid;
    },
  };
}

function addOption(select: VscodeSingleSelect, { value, label }: ChoiceOption): void {
  const option = document.createElement('vscode-option');
  option.setAttribute('value', value);
  showText(option, label);
  select.append(option);
}
