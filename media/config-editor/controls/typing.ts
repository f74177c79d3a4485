import type { VscodeTextarea } from '@vscode-elements/elements/dist/vscode-textarea/index.js';
import type { VscodeTextfield } from '@vscode-elements/elements/dist/vscode-textfield/index.js';

/** A line or an area of text. */
export type TextElement = VscodeTextfield | VscodeTextarea;

/** How long a person pauses between two words, in milliseconds: one step to undo. */
const PAUSE_MS = 300;

/** Tells when what a person types should be written. */
export interface Typing {
  /** Something was typed and not written yet. */
  isPending(): boolean;
}

const settlers: (() => void)[] = [];

/** Writes what was typed anywhere on the page, as if every field were left. */
export function settleTyping(): void {
  for (const settle of settlers) settle();
}

/**
 * Watches the text fields inside an element, which stays as long as the page does.
 *
 * @param write called at a pause, and with `isDone` when the field is left, a key chord (such as
 *   save) is pressed or the page is hidden; answers whether that settled it: half a number at a
 *   pause does not
 */
export function watchTyping(root: HTMLElement, write: (isDone: boolean) => boolean): Typing {
  let isPending = false;
  let timer: number | undefined;

  function settle(isDone: boolean): void {
    window.clearTimeout(timer);
    if (isPending && write(isDone)) isPending = false;
  }

  root.addEventListener('input', () => {
    isPending = true;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => settle(false), PAUSE_MS);
  });
  root.addEventListener('focusout', () => settle(true));
  root.addEventListener('keydown', ({ key, ctrlKey, metaKey }) => {
    if (key === 'Enter' || ctrlKey || metaKey) settle(true);
  });
  settlers.push(() => settle(true));
  return { isPending: () => isPending };
}

window.addEventListener('pagehide', settleTyping);

/** Changes the text of a field and keeps the cursor where it was, as far as the text goes. */
export async function setText(field: TextElement, text: string): Promise<void> {
  if (field.value === text) return;
  await field.updateComplete;
  const { wrappedElement: input } = field;
  const { selectionStart, selectionEnd } = input;
  field.value = text;
  await field.updateComplete;
  if (field.matches(':focus-within')) input.setSelectionRange(selectionStart, selectionEnd);
}
