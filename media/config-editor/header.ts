import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { FormTexts } from '../../extension/config-editor/form-texts.ts';
import type { PageMessage } from '../../extension/config-editor/messages.ts';
import { element, showText } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';

/** A button of the header. */
export type HeaderCommand = Extract<PageMessage, { type: 'command' }>['command'];

/** What stands above the form: buttons, the search box, and a banner when the text is broken. */
export interface Header {
  readonly element: HTMLElement;
  readonly search: string;
  setSearch(search: string): void;
  /** Says how many fields were found; null while nothing is searched for. */
  setMatches(count: number | null): void;
  setSyntaxError(at: { readonly line: number; readonly column: number } | null): void;
}

/** Makes the header. */
export function makeHeader(
  texts: FormTexts,
  run: (command: HeaderCommand) => void,
  onSearch: () => void,
): Header {
  const search = document.createElement('vscode-textfield');
  search.type = 'search';
  search.label = texts.search;
  search.placeholder = texts.search;
  search.className = 'search';
  search.addEventListener('input', onSearch);

  const matches = element('p', { class: 'matches', attributes: { role: 'status' } });
  const message = element('p');
  const banner = element('div', { class: 'banner', attributes: { role: 'alert' } }, [
    message,
    commandButton('openAsText', false),
  ]);
  banner.hidden = true;

  function commandButton(command: HeaderCommand, isSecondary: boolean) {
    const button = document.createElement('vscode-button');
    button.secondary = isSecondary;
    showText(button, texts[command]);
    button.addEventListener('click', () => run(command));
    return button;
  }

  return {
    element: element('header', {}, [
      element('div', { class: 'toolbar' }, [
        commandButton('startRun', false),
        commandButton('previewData', true),
        commandButton('estimateRun', true),
        search,
      ]),
      matches,
      banner,
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
      else showText(matches, fill(texts.matches, count));
    },
    setSyntaxError: (at) => {
      banner.hidden = at === null;
      showText(message, at === null ? '' : fill(texts.brokenSyntax, at.line, at.column));
    },
  };
}
