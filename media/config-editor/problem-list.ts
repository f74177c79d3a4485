import type { FormTexts } from '../../extension/config-editor/form-texts.ts';
import type { FormProblem } from '../../extension/config-editor/messages.ts';
import { element } from '../webview/element.ts';
import { withInlineCode } from './inline-code.ts';
import { isSame } from './values.ts';

/** The problems of one place in the form. */
export interface ProblemList {
  readonly element: HTMLElement;
  show(problems: readonly FormProblem[]): void;
}

/**
 * Makes a list that is hidden while it is empty.
 *
 * @param fix does what a quick fix says
 */
export function problemList(texts: FormTexts, fix: (id: string) => void, id?: string): ProblemList {
  const list = element('ul', { class: 'problems', attributes: { id } });
  list.hidden = true;
  let shown: readonly FormProblem[] = [];
  return {
    element: list,
    show: (problems) => {
      if (isSame(problems, shown)) return;
      shown = problems;
      list.hidden = problems.length === 0;
      list.replaceChildren(
        ...problems.map((problem) =>
          problemItem(texts, problem, [element('span', {}, withInlineCode(problem.message))], fix),
        ),
      );
    },
  };
}

/**
 * A problem as an item of a list, with its fixes below.
 *
 * @param content what says it
 */
export function problemItem(
  texts: FormTexts,
  { severity, fixes }: FormProblem,
  content: readonly Node[],
  fix: (id: string) => void,
): HTMLElement {
  return element('li', { class: `problem ${severity}` }, [
    element('div', { class: 'problem-text' }, [
      element('span', { class: 'spoken', text: `${texts[severity]}: ` }),
      ...content,
      ...(fixes.length === 0
        ? []
        : [
            element(
              'div',
              { class: 'fixes' },
              fixes.map(({ id, title }) =>
                element(
                  'button',
                  {
                    class: 'link fix',
                    attributes: { type: 'button' },
                    on: { click: () => fix(id) },
                  },
                  withInlineCode(title),
                ),
              ),
            ),
          ]),
    ]),
  ]);
}
