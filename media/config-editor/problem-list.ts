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

/** Makes a list that is hidden while it is empty. */
export function problemList(texts: FormTexts, id?: string): ProblemList {
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
        ...problems.map(({ severity, message }) =>
          element('li', { class: `problem ${severity}` }, [
            element('span', { class: 'spoken', text: `${texts[severity]}: ` }),
            element('span', {}, withInlineCode(message)),
          ]),
        ),
      );
    },
  };
}
