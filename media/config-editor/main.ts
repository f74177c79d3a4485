import type { FormTexts } from '../../extension/config-editor/form-texts.ts';
import type {
  HostMessage,
  PageMessage,
  RevealMessage,
  StateMessage,
} from '../../extension/config-editor/messages.ts';
import type { OfferedDevice } from '../../extension/doctor/offered-device.ts';
import { element } from '../webview/element.ts';
import { connectHost } from '../webview/host.ts';
import { readTexts } from '../webview/texts.ts';
import { configForm } from './config-form.ts';
import { Known } from './controls/known.ts';
import { settleTyping } from './controls/typing.ts';
import { makeHeader } from './header.ts';
import { placeProblems, placesOf } from './place-problems.ts';
import { problemSummary } from './problem-summary.ts';
import { matchesSearch } from './search.ts';
import { type SectionView, sectionView } from './section.ts';

/** What is to be shown. */
type Place = Pick<RevealMessage, 'path' | 'takesFocus'>;

/** What a reload of the window or a visit to another tab does not change. */
interface PageState {
  readonly closedSections: readonly string[];
  readonly search: string;
  readonly scroll: number;
}

const texts = readTexts<FormTexts>();
const host = connectHost<HostMessage, PageMessage, PageState>();
const restored = host.getState();

/** Edits are counted, so that a state from before the last one does not undo it on the screen. */
let lastEdit = 0;
let isSearching = false;
let hasState = false;
/** What is to be shown when the fields are there. */
let awaited: Place | undefined;

const columns = new Known<string>();
const devices = new Known<OfferedDevice>();
const fix = (id: string): void => host.send({ type: 'fix', fix: id });
const summary = problemSummary(texts, { goTo: (path) => reveal({ path, takesFocus: true }), fix });
const header = makeHeader(texts, {
  // What is typed goes before the command that works on it.
  run: (command) => {
    settleTyping();
    host.send({ type: 'command', command });
  },
  search: filter,
  showProblems: () => summary.reveal(),
});
const sections: readonly SectionView[] = configForm.sections.map((section) =>
  sectionView(section, texts, {
    write: (path, value) => {
      lastEdit += 1;
      const edit = { edit: lastEdit, path: [...path] };
      host.send(value === undefined ? { type: 'clear', ...edit } : { type: 'set', ...edit, value });
    },
    browse: (path, kind) => host.send({ type: 'browse', path: [...path], kind }),
    columns,
    devices,
    setUpCuda: () => host.send({ type: 'command', command: 'setUpCuda' }),
    fix,
  }),
);
const main = element('main', {}, [summary.element, ...sections.map((section) => section.element)]);
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
  header.setObstacles(state);
  summary.show(state.problems);
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
    if (awaited !== undefined) reveal(awaited);
  });
}

/** Shows the field of a key, or the section or the summary where it has none. */
function reveal(shown: Place): void {
  if (!hasState) {
    awaited = shown;
    return;
  }
  const { path, takesFocus } = shown;
  for (const place of placesOf(path)) {
    const section = sections.find(({ name }) => place === name || place.startsWith(`${name}.`));
    const field = section?.find(place);
    if (section === undefined || (field === undefined && place !== section.name)) continue;
    if (section.element.hidden || field?.element.hidden) {
      header.setSearch('');
      filter();
    }
    section.element.open = true;
    if (field === undefined) section.element.scrollIntoView({ block: 'start' });
    else field.reveal(takesFocus);
    return;
  }
  if (path.length > 0) summary.reveal();
}

function receive(message: HostMessage): void {
  switch (message.type) {
    case 'state':
      showState(message);
      break;
    case 'columns':
      columns.values = message.columns;
      break;
    case 'devices':
      devices.values = message.devices;
      break;
    case 'reveal':
      reveal(message);
      break;
    case 'settle':
      settleTyping();
      host.send({ type: 'settled', request: message.request });
  }
}

header.setSearch(restored?.search ?? '');
filter();
host.listen(receive);
host.send({ type: 'ready' });
window.addEventListener('scroll', store, { passive: true });
