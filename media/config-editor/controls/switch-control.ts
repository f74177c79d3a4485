import '@vscode-elements/elements/dist/vscode-checkbox/index.js';
import { showText } from '../../webview/element.ts';
import type { Control, ControlContext } from './control.ts';

/** On or off. A left-out key shows its default; a value of another kind is neither. */
export function switchControl({ label, default: fallback, texts, write }: ControlContext): Control {
  const checkbox = document.createElement('vscode-checkbox');
  showText(checkbox, texts.enabled);
  checkbox.addEventListener('change', () => write(checkbox.checked));
  // The visible word is the same everywhere: the name of the field says what is enabled.
  void checkbox.updateComplete.then(() => checkbox.setAttribute('aria-label', label));
  return {
    element: checkbox,
    show: (value) => {
      const effective = value ?? fallback;
      checkbox.checked = effective === true;
      checkbox.indeterminate = typeof effective !== 'boolean';
    },
    setDisabled: (isDisabled) => {
      checkbox.disabled = isDisabled;
    },
    setInvalid: (isInvalid) => {
      checkbox.invalid = isInvalid;
    },
  };
}
