import { element } from '../../webview/element.ts';
import { isSame, toText } from '../values.ts';
import { makeSelect } from './choice-control.ts';
import type { Control, ControlContext } from './control.ts';
import { namesListControl, textControl } from './text-control.ts';

type Mode = 'default' | 'pattern' | 'list';

/**
 * A regular expression, or a list of names; which of the two is chosen first, since a single name
 * means one thing as an expression and another in a list.
 */
export function namesControl(context: ControlContext): Control {
  const { default: fallback, label, texts } = context;
  const select = makeSelect(label, [
    { value: 'default', label: fallback === undefined ? texts.notSet : toText(fallback) },
    { value: 'pattern', label: texts.pattern },
    { value: 'list', label: texts.list },
  ]);
  /** What the person chose and did not fill yet. */
  let chosen: Mode | undefined;
  let shown: unknown;
  const inner: ControlContext = {
    ...context,
    default: undefined,
    write: (value) => {
      if (value !== undefined) chosen = undefined;
      context.write(value);
    },
  };
  const pattern = textControl(inner, false);
  const list = namesListControl(inner);

  function render(): void {
    const mode = chosen ?? modeOf(shown);
    select.value = mode;
    pattern.element.hidden = mode !== 'pattern';
    list.element.hidden = mode !== 'list';
    if (mode === modeOf(shown)) {
      if (mode === 'pattern') pattern.show(shown);
      if (mode === 'list') list.show(shown);
    }
  }

  function modeOf(value: unknown): Mode {
    if (value === undefined || isSame(value, fallback)) return 'default';
    return Array.isArray(value) ? 'list' : 'pattern';
  }

  select.addEventListener('change', () => {
    const mode = select.value as Mode;
    chosen = mode === 'default' || mode === modeOf(shown) ? undefined : mode;
    if (mode === 'default') context.write(undefined);
    render();
  });

  return {
    element: element('div', { class: 'names' }, [select, pattern.element, list.element]),
    show: (value) => {
      shown = value;
      render();
    },
    setDisabled: (isDisabled) => {
      select.disabled = isDisabled;
      pattern.setDisabled(isDisabled);
      list.setDisabled(isDisabled);
    },
    setInvalid: (isInvalid) => {
      pattern.setInvalid(isInvalid);
      list.setInvalid(isInvalid);
    },
  };
}
