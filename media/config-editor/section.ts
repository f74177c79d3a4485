import type { FormTexts } from '../../extension/config-editor/form-texts.ts';
import type { FormSection } from '../../server/language/config-form.ts';
import { element, showText } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';
import { type FieldActions, type FieldView, fieldView } from './field.ts';
import { withInlineCode } from './inline-code.ts';
import { type PlacedProblems, pathKey } from './place-problems.ts';
import { problemList } from './problem-list.ts';
import { valueAt } from './values.ts';

/** A group of fields that can be folded. */
export interface SectionView {
  readonly name: string;
  readonly element: HTMLDetailsElement;
  show(values: unknown, problems: PlacedProblems): void;
  setDisabled(isDisabled: boolean): void;
  /** Its field for a key; undefined where the key has none here. */
  find(key: string): FieldView | undefined;
  /** Hides the fields that do not pass, and itself if none does; says how many do. */
  filter(passes: (field: FieldView) => boolean): number;
}

/** Makes a section with its fields. */
export function sectionView(
  { name, description, fields }: FormSection,
  texts: FormTexts,
  actions: FieldActions,
): SectionView {
  const views = fields.map((field) => fieldView(field, texts, actions));
  const count = element('span', { class: 'count' });
  const problemCount = element('span', { class: 'count problem error' });
  const problems = problemList(texts, actions.fix);
  const root = element(
    'details',
    { class: 'section', attributes: { open: true, 'data-section': name } },
    [
      element('summary', {}, [element('h2', { text: name }), count, problemCount]),
      element('p', { class: 'help' }, withInlineCode(description)),
      problems.element,
      ...views.map((view) => view.element),
    ],
  );
  return {
    name,
    element: root,
    show: (values, { at }) => {
      const setFields = fields.filter(({ path }) => valueAt(values, path) !== undefined);
      showText(count, setFields.length === 0 ? '' : fill(texts.countSet, setFields.length));
      const found = at.get(name) ?? [];
      problems.show(found);
      let total = found.length;
      for (const view of views) {
        const { path } = view.field;
        const ofField = at.get(pathKey(path)) ?? [];
        view.show(valueAt(values, path), ofField);
        total += ofField.length;
      }
      // Said here too, since a folded section hides them.
      problemCount.hidden = total === 0;
      showText(problemCount, fill(texts.countProblems, total));
    },
    setDisabled: (isDisabled) => {
      for (const view of views) view.setDisabled(isDisabled);
    },
    find: (key) => views.find(({ field }) => pathKey(field.path) === key),
    filter: (passes) => {
      for (const view of views) view.element.hidden = !passes(view);
      const passing = views.filter((view) => !view.element.hidden).length;
      root.hidden = passing === 0;
      return passing;
    },
  };
}
