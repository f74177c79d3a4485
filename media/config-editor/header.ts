import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { FormTexts } from '../../extension/config-editor/form-texts.ts';
import type { FormState, PageMessage } from '../../extension/config-editor/messages.ts';
import { element, showText } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';

/** A button of the header. */
export type HeaderCommand = Extract<PageMessage, { type: 'command' }>['command'];

/** What stands above the form: buttons, the search box, and what keeps them from being used. */
export interface Header {
  readonly element: HTMLElement;
  readonly search: string;
  setSearch(search: string): void;
  /** Says how many fields were found; null while nothing is searched for. */
  setMatches(count: number | null): void;
  /** Says what keeps a run from being started. */
  setObstacles(state: FormState): void;
}

/** What the header asks for. */
export interface HeaderActions {
  run(command: HeaderCommand): void;
  search(): void;
  /** Shows what is wrong. */
  showProblems(): void;
}

/** Makes the header. */
export function makeHeader(texts: FormTexts, actions: HeaderActions): Header {
  const search = document.createElement('vscode-textfield');
  search.type = 'search';
  search.label = texts.search;
  search.placeholder = texts.search;
  search.className = 'search';
  search.addEventListener('input', () => actions.search());

  const matches = element('p', { class: 'matches', attributes: { role: 'status' } });
  const message = element('p');
  const broken = makeBanner(message, commandButton('openAsText', false));
  const restricted = makeBanner(
    element('p', { text: texts.restricted }),
    commandButton('manageTrust', false),
  );
  restricted.classList.add('restricted');
  const start = commandButton('startRun', false);
  const needTrust = [start, commandButton('previewData', true), commandButton('estimateRun', true)];
  const obstacle = element('button', {
    class: 'link obstacle',
    attributes: { type: 'button' },
    on: { click: () => actions.showProblems() },
  });
  obstacle.hidden = true;

  function commandButton(command: HeaderCommand, isSecondary: boolean) {
    const button = document.createElement('vscode-button');
    button.secondary = isSecondary;
    showText(button, texts[command]);
    button.addEventListener('click', () => actions.run(command));
    return button;
  }

  return {
    element: element('header', {}, [
      element('div', { class: 'toolbar' }, [...needTrust, search]),
      obstacle,
      matches,
      broken,
      restricted,
    ]),
    get search() {
      return search.value.trim();
    },
    setSearch: (text) => {
      search.value = text;
    },
    setMatches: (count) => {
      if (count === null) showText(matches, '');
      else if (count === 0) showText(matches, fill(texts.noMatches, search.value.trim()));
      else showText(matches, count === 1 ? texts.oneMatch : fill(texts.matches, count));
    },
    setObstacles: ({ syntaxError, isRestricted, problems }) => {
      broken.hidden = syntaxError === null;
      if (syntaxError !== null) {
        showText(message, fill(texts.brokenSyntax, syntaxError.line, syntaxError.column));
      }
      restricted.hidden = !isRestricted;
      for (const button of needTrust) {
        button.disabled = isRestricted;
        button.title = isRestricted ? texts.needsTrust : '';
      }
      const errors = problems.filter(({ severity }) => severity === 'error').length;
      // It can be pressed all the same: what was corrected a moment ago is not known yet.
      start.secondary = errors > 0 || syntaxError !== null || isRestricted;
      obstacle.hidden = errors === 0 || syntaxError !== null;
      showText(
        obstacle,
        errors === 1 ? texts.oneKeepsFromStarting : fill(texts.keepFromStarting, errors),
      );
    },
  };
}

function makeBanner(message: HTMLElement, button: HTMLElement): HTMLElement {
  const banner = element('div', { class: 'banner', attributes: { role: 'alert' } }, [
    message,
    button,
  ]);
  banner.hidden = true;
  return banner;
}
