import { element } from '../../webview/element.ts';
import { columnControl } from './alternatives-control.ts';
import type { Control, ControlContext } from './control.ts';

/** The columns of the data that the configuration names, as far as they are known. */
export class KnownColumns {
  #names: readonly string[] = [];
  readonly #listeners: (() => void)[] = [];

  get names(): readonly string[] {
    return this.#names;
  }

  set names(names: readonly string[]) {
    if (names.join('\n') === this.#names.join('\n')) return;
    this.#names = names;
    for (const tell of this.#listeners) tell();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }
}

/** A {@link columnControl} that is made anew when the data have other columns. */
export function knownColumnControl(context: ControlContext, known: KnownColumns): Control {
  let shown: unknown;
  let isDisabled = false;
  let isInvalid = false;
  let control = columnControl(context, known.names);
  const root = element('div', { class: 'column' }, [control.element]);
  known.onChange(() => {
    control = columnControl(context, known.names);
    control.show(shown);
    control.setDisabled(isDisabled);
    control.setInvalid(isInvalid);
    root.replaceChildren(control.element);
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
