import type { ChoiceValue } from '../../../server/language/config-form.ts';
import { element } from '../../webview/element.ts';
import { isSame, toText } from '../values.ts';
import { makeSelect } from './choice-control.ts';
import type { Control, ControlContext } from './control.ts';
import { freeTextControl, namesListControl, textControl } from './text-control.ts';

/** One kind of value that a key may have. */
export interface Alternative {
  readonly label: string;
  /** Whether a value of the text, undefined for none, is of this kind. The first that says so is. */
  matches(value: unknown): boolean;
  /** What choosing it writes, or how a value of this kind is typed and what it is at first. */
  readonly choice:
    | { readonly value: unknown }
    | { readonly control: Control; readonly empty: unknown };
}

/**
 * A regular expression or a list of names; which of the two is chosen first, since a single name
 * means one thing as an expression and another in a list.
 */
export function namesControl(context: ControlContext): Control {
  const { default: fallback, texts } = context;
  return alternativesControl(context, (inner) => [
    {
      label: fallback === undefined ? texts.notSet : toText(fallback),
      matches: (value) => value === undefined || isSame(value, fallback),
      choice: { value: undefined },
    },
    {
      label: texts.list,
      matches: (value) => Array.isArray(value),
      choice: { control: namesListControl(inner), empty: [] },
    },
    {
      label: texts.pattern,
      matches: () => true,
      choice: { control: freeTextControl(inner), empty: '' },
    },
  ]);
}

/** A value among several, or another string. */
export function openChoiceControl(
  context: ControlContext,
  options: readonly ChoiceValue[],
): Control {
  const { default: fallback } = context;
  return alternativesControl(context, (inner) => [
    ...options.map((option) => ({
      label: toText(option),
      matches: (value: unknown) => isSame(value ?? fallback, option),
      choice: { value: option },
    })),
    freeTextAlternative(inner),
  ]);
}

/** The name of a column: one of those that the data have, or another. */
export function columnControl(context: ControlContext, columns: readonly string[]): Control {
  // Without any there is nothing to choose.
  if (columns.length === 0) return textControl(context, false);
  return alternativesControl(context, (inner) => [
    {
      label: context.texts.notSet,
      matches: (value) => value === undefined,
      choice: { value: undefined },
    },
    ...columns.map((column) => ({
      label: column,
      matches: (value: unknown) => value === column,
      choice: { value: column },
    })),
    freeTextAlternative(inner),
  ]);
}

/** What is typed; the last alternative, for it takes all that no other one has taken. */
export function freeTextAlternative(inner: ControlContext): Alternative {
  return {
    label: inner.texts.other,
    matches: () => true,
    choice: { control: freeTextControl(inner), empty: '' },
  };
}

/**
 * Alternatives as a list, and below it what belongs to the chosen one.
 *
 * @param makeAlternatives given the context for what is inside, where a left-out key has no default
 */
export function alternativesControl(
  context: ControlContext,
  makeAlternatives: (inner: ControlContext) => readonly Alternative[],
): Control {
  let shown: unknown;
  const alternatives = makeAlternatives({ ...context, default: undefined });
  const controls = alternatives.flatMap(({ choice }) =>
    'control' in choice ? [choice.control] : [],
  );
  const select = makeSelect(
    context.label,
    alternatives.map(({ label }) => ({ value: label, label })),
  );

  function actualOne(): Alternative {
    return alternatives.find((alternative) => alternative.matches(shown))!;
  }

  function render(): void {
    const { label, choice } = actualOne();
    select.value = label;
    const control = 'control' in choice ? choice.control : undefined;
    for (const other of controls) other.element.hidden = other !== control;
    control?.show(shown);
  }

  select.addEventListener('change', () => {
    const selected = alternatives.find(({ label }) => label === select.value)!;
    if (selected === actualOne()) return render();
    // What is written comes back with the next state, and what is empty still with its problem: the
    // text never says something else than the form.
    const { choice } = selected;
    context.write('value' in choice ? choice.value : choice.empty);
  });

  return {
    element: element('div', { class: 'alternatives' }, [
      select,
      ...controls.map((control) => control.element),
    ]),
    show: (value) => {
      shown = value;
      render();
    },
    setDisabled: (isDisabled) => {
      select.disabled = isDisabled;
      for (const control of controls) control.setDisabled(isDisabled);
    },
    setInvalid: (isInvalid) => {
      for (const control of controls) control.setInvalid(isInvalid);
    },
  };
}
