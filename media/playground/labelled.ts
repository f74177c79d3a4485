import { visible } from '../../server/plain-text.ts';
import { element } from '../webview/element.ts';

/** A control with its name above it. */
export function labelled(text: string, control: HTMLElement): HTMLElement {
  return element('label', { class: 'field' }, [element('span', { text }), control]);
}

/**
 * Lets a button be used, or says in its tooltip why it cannot.
 *
 * @param hint its tooltip where it can
 */
export function allow(button: HTMLButtonElement, problem: string | undefined, hint = ''): void {
  // Whoever has pressed it by keyboard would find the focus nowhere.
  if (problem !== undefined && document.activeElement === button) usableBeside(button)?.focus();
  button.disabled = problem !== undefined;
  button.title = visible(problem ?? hint);
}

function usableBeside(button: HTMLButtonElement): HTMLButtonElement | undefined {
  const beside = [...(button.parentElement?.querySelectorAll('button') ?? [])];
  return beside.find((each) => each !== button && !each.disabled);
}

/** A button that says in its tooltip why it cannot be used, or what it does. */
export function action(
  text: string,
  click: () => void,
  { hint, isPrimary = false }: { readonly hint?: string; readonly isPrimary?: boolean } = {},
): HTMLButtonElement {
  const options = { text, attributes: { type: 'button', title: hint }, on: { click } };
  return element('button', isPrimary ? { ...options, class: 'primary' } : options);
}
