import type { FormTexts } from '../../extension/config-editor/form-texts.ts';
import type { FormProblem } from '../../extension/config-editor/messages.ts';
import { element, showText } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';
import { withInlineCode } from './inline-code.ts';
import { keyAndRest } from './place-problems.ts';
import { problemItem } from './problem-list.ts';
import { isSame } from './values.ts';

/** All problems of the configuration above the form, each a link to its field. */
export interface ProblemSummary {
  readonly element: HTMLElement;
  show(problems: readonly FormProblem[]): void;
  reveal(): void;
}

/** What a link of the summary and its buttons do. */
export interface SummaryActions {
  goTo(path: FormProblem['path']): void;
  fix(id: string): void;
}

/** More would push the form itself out of sight. */
const MOST_SHOWN = 6;
const WORST_FIRST: readonly FormProblem['severity'][] = ['error', 'warning', 'info'];

/** Makes a summary that is hidden while there are no problems. */
export function problemSummary(texts: FormTexts, { goTo, fix }: SummaryActions): ProblemSummary {
  const heading = element('h2', { attributes: { id: 'summary-heading', tabindex: -1 } });
  const list = element('ul', { class: 'problems' });
  const more = element('button', {
    class: 'link more',
    attributes: { type: 'button' },
    on: {
      click: () => {
        isComplete = true;
        render();
      },
    },
  });
  const root = element(
    'section',
    { class: 'problem-summary', attributes: { 'aria-labelledby': 'summary-heading' } },
    [heading, list, more],
  );
  root.hidden = true;
  let shown: readonly FormProblem[] = [];
  let isComplete = false;

  function render(): void {
    const sorted = WORST_FIRST.flatMap((severity) =>
      shown.filter((each) => each.severity === severity),
    );
    const visible = isComplete ? sorted : sorted.slice(0, MOST_SHOWN);
    const hidden = sorted.length - visible.length;
    root.hidden = sorted.length === 0;
    root.dataset['severity'] = sorted[0]?.severity ?? '';
    showText(heading, headingOf(texts, shown));
    list.replaceChildren(
      ...visible.map((problem) => problemItem(texts, problem, linked(problem), fix)),
    );
    more.hidden = hidden === 0;
    showText(more, fill(texts.moreProblems, hidden));
  }

  function linked({ path, message }: FormProblem): readonly Node[] {
    const { key, rest } = keyAndRest(path, message);
    const text = element('span', {}, withInlineCode(rest));
    if (key === '') return [text];
    return [
      element('button', {
        class: 'link place',
        text: key,
        attributes: { type: 'button', 'aria-label': fill(texts.goToField, key) },
        on: { click: () => goTo(path) },
      }),
      text,
    ];
  }

  return {
    element: root,
    show: (problems) => {
      if (isSame(problems, shown)) return;
      shown = problems;
      render();
    },
    reveal: () => {
      root.scrollIntoView({ block: 'center' });
      heading.focus({ preventScroll: true });
    },
  };
}

/** How many problems there are of each kind, in words: `2 errors, 1 warning`. */
function headingOf(texts: FormTexts, problems: readonly FormProblem[]): string {
  const words = {
    error: [texts.oneError, texts.errors],
    warning: [texts.oneWarning, texts.warnings],
    info: [texts.oneNote, texts.notes],
  } as const;
  return WORST_FIRST.flatMap((severity) => {
    const count = problems.filter((each) => each.severity === severity).length;
    const [one, several] = words[severity];
    return count === 0 ? [] : [count === 1 ? one : fill(several, count)];
  }).join(', ');
}
