import type { FormTexts } from '../../extension/config-editor/form-texts.ts';
import type {
  ColumnsMessage,
  PageMessage,
  StateMessage,
} from '../../extension/config-editor/messages.ts';
import { element } from '../webview/element.ts';
import { connectHost } from '../webview/host.ts';
import { readTexts } from '../webview/texts.ts';
import { configForm } from './config-form.ts';
import { KnownColumns } from './controls/known-columns.ts';
import { makeHeader } from './header.ts';
import { placeProblems } from './place-problems.ts';
import { problemList } from './problem-list.ts';
import { matchesSearch } from './search.ts';
import { type SectionView, sectionView } from './section.ts';

/** What a reload of the window or a visit to another tab does not change. */
interface PageState {
  readonly closedSections: readonly string[];
  readonly search: string;
  readonly scroll: number;
}

const texts = readTexts<FormTexts>();
const host = connectHost<StateMessage | ColumnsMessage, PageMessage, PageState>();
const restored = host.getState();

/** Edits are counted, so that a state from before the last one does not undo it on the screen. */
let lastEdit = 0;
let isSearching = false;
let hasState = false;

const header = makeHeader(texts, (command) => host.send({ type: 'command', command }), filter);
const columns = new KnownColumns();
const general = problemList(texts);
const sections: readonly SectionView[] = configForm.sections.map((section) =>
  sectionView(section, texts, {
    write: (path, value) => {
      lastEdit += 1;
      const edit = { edit: lastEdit, path: [...path] };
      host.send(value === undefined ? { type: 'clear', ...edit } : { type: 'set', ...edit, value });
    },
    browse: (path, kind) => host.send({ type: 'browse', path: [...path], kind }),
    columns,
  }),
);
const main = element('main', {}, [general.element, ...sections.map((section) => section.element)]);
main.hidden = true;
document.body.append(header.element, main);

/** Sections that the person folded; a search opens those with matches for its time. */
const closed = new Set(restored?.closedSections);
for (const { name, element: details } of sections) {
  details.open = !closed.has(name);
  details.addEventListener('toggle', () => {
    if (isSearching) return;
    if (details.open) closed.delete(name);
    else closed.add(name);
    store();
  });
}

function filter(): void {
  const { search } = header;
  isSearching = search !== '';
  const counts = sections.map((section) =>
    section.filter(({ field }) => matchesSearch(field, search)),
  );
  header.setMatches(isSearching ? counts.reduce((sum, count) => sum + count, 0) : null);
  for (const { name, element: details } of sections)
    details.open = isSearching || !closed.has(name);
  store();
}

function store(): void {
  // Before the first state the page is empty and knows no position.
  if (!hasState) return;
  host.setState({ closedSections: [...closed], search: header.search, scroll: window.scrollY });
}

function showState({ state, answeredEdit }: StateMessage): void {
  if (answeredEdit < lastEdit) return;
  const problems = placeProblems(configForm, state.problems);
  header.setSyntaxError(state.syntaxError);
  general.show(problems.general);
  for (const section of sections) {
    section.setDisabled(state.syntaxError !== null);
    section.show(state.values, problems);
  }
  if (hasState) return;
  main.hidden = false;
  // Once, when the fields have their size.
  requestAnimationFrame(() => {
    window.scrollTo({ top: restored?.scroll ?? 0 });
    hasState = true;
  });
}

header.setSearch(restored?.search ?? '');
filter();
host.listen((message) => {
  if (message.type === 'columns') columns.names = message.columns;
  else showState(message);
});
host.send({ type: 'ready' });
window.addEventListener('scroll', store, { passive: true });
