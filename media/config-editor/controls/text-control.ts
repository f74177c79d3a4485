import '@vscode-elements/elements/dist/vscode-textarea/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import { isSame, readLines, readNumber, toText } from '../values.ts';
import type { Control, ControlContext } from './control.ts';
import { setText, type TextElement, watchTyping } from './typing.ts';

/** How a value is read from what is typed, and shown. */
interface Format {
  read(text: string): unknown;
  show(value: unknown): string;
  /** Whether what is typed may be written although the person goes on typing. */
  isComplete(value: unknown): boolean;
}

/** A string; an empty field is no value. */
export function textControl(context: ControlContext, isMultiline: boolean): Control {
  return typedControl(makeTextElement(context, isMultiline), context, {
    read: (text) => (text === '' ? undefined : text),
    show: toText,
    isComplete: () => true,
  });
}

/** A string that is there even where it is empty. */
export function freeTextControl(context: ControlContext): Control {
  return typedControl(makeTextElement(context, false), context, {
    read: (text) => text,
    show: toText,
    isComplete: () => true,
  });
}

/** A number in any notation; the language server knows its bounds. */
export function numberControl(context: ControlContext): Control {
  return typedControl(makeTextElement(context, false), context, {
    read: readNumber,
    show: toText,
    isComplete: (value) => typeof value !== 'string',
  });
}

/** One item per line; a single item that stands without a list around it stays so. */
export function listControl(context: ControlContext, items: 'text' | 'number'): Control {
  let isList = false;
  const control = typedControl(makeTextElement(context, true), context, {
    read: (text) => {
      const lines = readLines(text);
      const values = items === 'text' ? lines : lines.map(readNumber);
      if (values.length === 0) return undefined;
      return values.length === 1 && !isList ? values[0] : values;
    },
    show: (value) => (Array.isArray(value) ? value.map(toText).join('\n') : toText(value)),
    isComplete: (value) =>
      items === 'text' || [value].flat().every((item) => typeof item !== 'string'),
  });
  return {
    ...control,
    show: (value) => {
      isList = Array.isArray(value);
      control.show(value);
    },
  };
}

/** One object per line, as JSON; what is none yet is text, which the language server refuses. */
export function objectsControl(context: ControlContext): Control {
  return typedControl(makeTextElement(context, true), context, {
    read: (text) => {
      const lines = readLines(text);
      return lines.length === 0 ? undefined : lines.map(readJson);
    },
    show: (value) => (Array.isArray(value) ? value.map(toJson).join('\n') : toText(value)),
    isComplete: (value) =>
      value === undefined || [value].flat().every((item) => typeof item !== 'string'),
  });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function toJson(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A list of names, which is a list even with one, or none. */
export function namesListControl(context: ControlContext): Control {
  return typedControl(makeTextElement(context, true), context, {
    read: readLines,
    show: (value) => (Array.isArray(value) ? value.map(toText).join('\n') : toText(value)),
    isComplete: () => true,
  });
}

function makeTextElement(
  { label, default: fallback }: ControlContext,
  isMultiline: boolean,
): TextElement {
  const field = document.createElement(isMultiline ? 'vscode-textarea' : 'vscode-textfield');
  field.label = label;
  field.placeholder = toText(fallback);
  return field;
}

function typedControl(field: TextElement, { write }: ControlContext, format: Format): Control {
  let shown: unknown;

  const typing = watchTyping(field, (isDone) => {
    const value = format.read(field.value);
    if (!isDone && !format.isComplete(value)) return false;
    if (!isSame(value, shown)) write(value);
    shown = value;
    return true;
  });

  function fitHeight(): void {
    // Two lines show that there may be several.
    if ('rows' in field) field.rows = Math.max(2, field.value.split('\n').length);
  }
  field.addEventListener('input', fitHeight);

  return {
    element: field,
    show: (value) => {
      if (typing.isPending()) return;
      shown = value;
      if (!isSame(format.read(field.value), value)) void setText(field, format.show(value));
      fitHeight();
    },
    setDisabled: (isDisabled) => {
      field.disabled = isDisabled;
    },
    setInvalid: (isInvalid) => {
      field.invalid = isInvalid;
    },
  };
}
