import { element } from '../../webview/element.ts';
import type { Control } from './control.ts';

/** What there is to choose from, which the page is told later, and again when it changes. */
export class Known<T> {
  #values: readonly T[] = [];
  readonly #listeners: (() => void)[] = [];

  get values(): readonly T[] {
    return this.#values;
  }

  set values(values: readonly T[]) {
    if (JSON.stringify(values) === JSON.stringify(this.#values)) return;
    this.#values = values;
    for (const tell of this.#listeners) tell();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }
}

/** A control that is made anew when there is something else to choose from, and nobody is choosing. */
export function knownControl<T>(known: Known<T>, make: (values: readonly T[]) => Control): Control {
  let shown: unknown;
  let isDisabled = false;
  let isInvalid = false;
  let control = make(known.values);
  const root = element('div', { class: 'known' }, [control.element]);
  const makeAnew = (): void => {
    control = make(known.values);
    control.show(shown);
    control.setDisabled(isDisabled);
    control.setInvalid(isInvalid);
    root.replaceChildren(control.element);
  };
  let isDue = false;
  known.onChange(() => {
    isDue = root.matches(':focus-within');
    if (!isDue) makeAnew();
  });
  root.addEventListener('focusout', ({ relatedTarget }) => {
    if (!isDue || (relatedTarget instanceof Node && root.contains(relatedTarget))) return;
    isDue = false;
    makeAnew();
  });
  return {
    element: root,
    show: (value) => {
      shown = value;
      control.show(value);
    },
    setDisabled: (value) => {
      isDisabled = value;
      control.setDisabled(value);
    },
    setInvalid: (value) => {
      isInvalid = value;
      control.setInvalid(value);
    },
  };
}
