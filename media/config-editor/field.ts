import '@vscode-elements/elements/dist/vscode-button/index.js';
import type { FormTexts } from '../../extension/config-editor/form-texts.ts';
import type { FormProblem } from '../../extension/config-editor/messages.ts';
import type { OfferedDevice } from '../../extension/doctor/offered-device.ts';
import type { BrowseKind, FormField } from '../../server/language/config-form.ts';
import { element, showText } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';
import { columnControl, namesControl, openChoiceControl } from './controls/alternatives-control.ts';
import { choiceControl } from './controls/choice-control.ts';
import { choicesControl } from './controls/choices-control.ts';
import type { Control, ControlContext } from './controls/control.ts';
import { deviceControl } from './controls/device-control.ts';
import { type Known, knownControl } from './controls/known.ts';
import { recordControl } from './controls/record-control.ts';
import { switchControl } from './controls/switch-control.ts';
import {
  listControl,
  numberControl,
  objectsControl,
  textControl,
} from './controls/text-control.ts';
import { withInlineCode } from './inline-code.ts';
import { pathKey } from './place-problems.ts';
import { problemList } from './problem-list.ts';
import { isRecord, isSame, toText } from './values.ts';

/** What can have the focus inside a control of several parts: what is typed in comes first. */
const FOCUSABLE = [
  'vscode-textfield, vscode-textarea',
  'vscode-single-select, vscode-checkbox, vscode-button',
];

/** What a field asks of the extension. */
export interface FieldActions {
  write(path: readonly string[], value: unknown): void;
  browse(path: readonly string[], kind: BrowseKind): void;
  /** The columns that a field for one can have. */
  readonly columns: Known<string>;
  readonly devices: Known<OfferedDevice>;
  setUpCuda(): void;
  fix(id: string): void;
}

/** One key of the configuration with its name, its help, its control and its problems. */
export interface FieldView {
  readonly field: FormField;
  readonly element: HTMLElement;
  /** @param value undefined where the key is left out */
  show(value: unknown, problems: readonly FormProblem[]): void;
  setDisabled(isDisabled: boolean): void;
  /** Scrolls to it and marks it for a moment. */
  reveal(takesFocus: boolean): void;
}

/** Makes a field. */
export function fieldView(field: FormField, texts: FormTexts, actions: FieldActions): FieldView {
  const { path, control: kind } = field;
  const name = path.slice(1).join('.');
  const id = `field-${pathKey(path)}`;
  const context = {
    label: name,
    default: field.default,
    texts,
    write: (value: unknown) => actions.write(path, value),
  };
  const control = makeControl(field, context, actions);
  const problems = problemList(texts, actions.fix, `${id}-problems`);
  const clear = element('button', {
    class: 'link clear',
    text: texts.clear,
    attributes: { type: 'button', 'aria-label': fill(texts.clearField, name) },
    on: { click: () => actions.write(path, undefined) },
  });
  const setMark = element('span', { class: 'spoken', text: texts.isSet });
  const browse = 'browse' in kind && kind.browse !== undefined ? kind.browse : undefined;
  const browseButton = browse && makeBrowseButton(name, texts, () => actions.browse(path, browse));

  const root = element(
    'div',
    {
      class: 'field',
      attributes: {
        // A group, since descriptions do not reach the input inside a component's shadow.
        role: 'group',
        'aria-labelledby': `${id}-name`,
        'aria-describedby': `${id}-problems ${id}-help`,
        'data-path': pathKey(path),
      },
    },
    [
      element('div', { class: 'field-head' }, [
        element('span', { class: 'field-name', text: name, attributes: { id: `${id}-name` } }),
        ...(field.isRequired ? [element('span', { class: 'tag', text: texts.required })] : []),
        setMark,
        clear,
      ]),
      element('div', { class: 'help', attributes: { id: `${id}-help` } }, [
        element('p', {}, withInlineCode(field.description)),
        element('p', {}, withInlineCode(describeValue(field, texts))),
      ]),
      element('div', { class: 'control' }, [
        control.element,
        ...(browseButton === undefined ? [] : [browseButton]),
      ]),
      problems.element,
    ],
  );

  return {
    field,
    element: root,
    show: (value, found) => {
      const isSet = value !== undefined;
      root.classList.toggle('set', isSet);
      setMark.hidden = !isSet;
      clear.hidden = !isSet;
      control.show(value);
      control.setInvalid(found.some(({ severity }) => severity === 'error'));
      problems.show(found);
    },
    setDisabled: (isDisabled) => {
      control.setDisabled(isDisabled);
      clear.disabled = isDisabled;
      if (browseButton !== undefined) browseButton.disabled = isDisabled;
    },
    reveal: (takesFocus) => {
      root.scrollIntoView({ block: 'center' });
      const input = FOCUSABLE.flatMap((kind) => [
        ...control.element.querySelectorAll<HTMLElement>(kind),
      ]).find((each) => each.offsetParent !== null);
      if (takesFocus) (input ?? control.element).focus({ preventScroll: true });
      root.classList.remove('revealed');
      // Begins the animation anew where it was shown a moment ago.
      void root.offsetWidth;
      root.classList.add('revealed');
    },
  };
}

function makeControl(
  { control }: FormField,
  context: ControlContext,
  { columns, devices, setUpCuda }: FieldActions,
): Control {
  switch (control.kind) {
    case 'switch':
      return switchControl(context);
    case 'number':
      return numberControl(context);
    case 'choice':
      return control.isOpen
        ? openChoiceControl(context, control.options)
        : choiceControl(context, control.options);
    case 'choices':
      return choicesControl(context, control.options);
    case 'text':
      return textControl(context, control.isMultiline);
    case 'list':
      return listControl(context, control.items);
    case 'column':
      return knownControl(columns, (names) => columnControl(context, names));
    case 'device':
      return knownControl(devices, (known) =>
        deviceControl(context, control.options, known, setUpCuda),
      );
    case 'names':
      return namesControl(context);
    case 'objects':
      return objectsControl(context);
    case 'record':
      return recordControl(context);
  }
}

function makeBrowseButton(name: string, texts: FormTexts, browse: () => void) {
  const button = document.createElement('vscode-button');
  button.secondary = true;
  showText(button, texts.browse);
  button.setAttribute('aria-label', fill(texts.browseField, name));
  button.addEventListener('click', browse);
  return button;
}

/** What is not to be seen in the control itself. */
function describeValue(
  { control, accepts, default: fallback }: FormField,
  texts: FormTexts,
): string {
  const isOpen = control.kind === 'device' || (control.kind === 'choice' && control.isOpen);
  const isMany = control.kind === 'list' || control.kind === 'objects';
  const isNumeric =
    control.kind === 'number' || (control.kind === 'list' && control.items === 'number');
  return [
    isOpen || isNumeric || control.kind === 'objects' ? fill(texts.accepts, accepts) : '',
    isMany ? texts.onePerLine : '',
    fallback === undefined || isRecord(fallback) || isSame(fallback, [])
      ? ''
      : fill(texts.default, `\`${toText(fallback)}\``),
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}
