import { type FolderMove, movedPath } from '../../extension/folder-move.ts';
import type {
  ChatSubject,
  HistoryEntry,
  PlaygroundNews,
  PlaygroundRequest,
  PlaygroundState,
  PlaygroundTab,
} from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { element, showText } from '../webview/element.ts';
import { connectHost } from '../webview/host.ts';
import { Tabs } from '../webview/tabs.ts';
import { readTexts } from '../webview/texts.ts';
import { ChatAccess } from './chat-access.ts';
import { ChatTab } from './chat-tab.ts';
import { Examples } from './examples.ts';
import { HistoryList } from './history-list.ts';
import { ModelPicker } from './model-picker.ts';
import type { PlaygroundParts } from './parts.ts';
import { PromptTab } from './prompt-tab.ts';
import { PromptTable } from './prompt-table.ts';
import { SamplingForm } from './sampling-form.ts';
import { StateKeeper } from './state-keeper.ts';
import { TrainingLine } from './training-line.ts';
import { Writing } from './writing.ts';

/** The playground: who writes, on what, and what was written: a prompt, a table of them, a chat. */
const texts = readTexts<PlaygroundTexts>();
const host = connectHost<PlaygroundNews, PlaygroundRequest, PlaygroundState>();
const saved = host.getState();
/** Whose history and training are shown: the adapter's folder, or the base model alone. */
let subject: string | undefined;
/** Names that adapters got while the page was there. */
const moves: FolderMove[] = [];
/** The first news of what can be picked are still to come. */
let isFirst = true;
/** What is to be shown as soon as it is known whether it can be. */
let wish: PlaygroundTab | undefined;

const picker = new ModelPicker(texts, saved, {
  onChange: update,
  onRefresh: () => host.send({ type: 'catalog' }),
});
const training = new TrainingLine(texts);
const keeper = new StateKeeper(storeState);
const sampling = new SamplingForm(texts, saved, () => keeper.keepTyped());
const examples = new Examples();
const writing = new Writing(host.send, showBusy);
const history = new HistoryList(texts, {
  onShow: showAgain,
  onClear: () => tellHistory('clear'),
});
const parts: PlaygroundParts = {
  writing,
  writers: () => picker.writers,
  sampling: () => sampling.read(),
  async write(prompt, wanted) {
    const chosen = sampling.read();
    if (chosen === undefined) return false;
    // Who goes on here has read why.
    showText(notice, '');
    const { model, device } = picker;
    const isDone = writing.write({ model, device, prompt, sampling: chosen }, wanted);
    // A reload may come before they have written.
    keep();
    await isDone;
    keep();
    return isDone;
  },
  subject() {
    const [before, since] = [subject, moves.length];
    return () => before && moves.slice(since).reduce(movedPath, before);
  },
  remember(subjectThen, { question, answers, sampling, turns = [] }) {
    const about = subjectThen();
    if (about === undefined || answers.every(({ text }) => text === '')) return;
    const change = { time: new Date().toISOString(), question, answers, sampling, turns };
    host.send({ type: 'history', subject: about, change });
  },
  keep,
  keepTyped: () => keeper.keepTyped(),
  onShowLogs: () => host.send({ type: 'showLogs' }),
};
const promptTab = new PromptTab(texts, parts, examples, saved ?? {});
const table = new PromptTable(texts, parts, examples, {
  saved: saved?.rows ?? [],
  promptOf: () => promptTab.question,
});
const chat = new ChatTab(texts, parts, saved ?? {});
const access = new ChatAccess(host.send);
const problem = element('p', { class: 'problem', attributes: { role: 'alert', hidden: true } });
/** Why one is somewhere else than one wanted to be. */
const notice = element('p', { class: 'notice', attributes: { role: 'status' } });
const views = new Tabs(
  texts.modes,
  [
    { id: 'prompt', label: texts.promptTab, content: promptTab.root },
    { id: 'table', label: texts.tableTab, content: table.root },
    { id: 'chat', label: texts.chatTab, content: chat.root },
  ],
  saved?.tab,
  {
    onSelect: () => {
      // Who chooses a tab does not wait for another one any more.
      wish = undefined;
      showText(notice, '');
      keep();
    },
    onRefuse: () => leaveChat(true),
  },
);

document.body.append(
  element('main', {}, [
    element('h1', { text: texts.title }),
    problem,
    picker.root,
    training.root,
    sampling.root,
    notice,
    views.root,
    history.root,
  ]),
);
// The focus of what is gone is nowhere; whoever wants out of something is where one types then.
document.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape' && document.activeElement === document.body) focusTab();
});
document.addEventListener('focusout', () => keeper.settle());
window.addEventListener('pagehide', () => keeper.settle());
host.listen(receive);
host.send({ type: 'catalog' });

function receive(news: PlaygroundNews): void {
  switch (news.type) {
    case 'catalog':
      picker.show(news);
      if (isFirst) {
        isFirst = false;
        update();
      }
      if (!news.isWhole) break;
      problem.hidden = true;
      // Their files may be others.
      access.look(picked());
      break;
    case 'devices':
      picker.showDevices(news.devices);
      break;
    case 'problem':
      showText(problem, news.message);
      problem.hidden = false;
      break;
    case 'prompt':
      writing.drop();
      views.choose('prompt');
      promptTab.show({ mode: 'chat', context: [], prompt: news.prompt, expected: null });
      keep();
      break;
    case 'tab':
      wish = news.tab;
      fulfil();
      break;
    case 'chat':
      if (!access.receive(news)) break;
      showReady();
      fulfil();
      break;
    case 'moved':
      moves.push(news);
      subject &&= movedPath(subject, news);
      // The picker last, which tells the others of it.
      for (const part of [writing, promptTab, table, chat, access, picker]) part.follow(news);
      keep();
      break;
    case 'training':
      if (news.adapter !== subject) break;
      examples.show(news);
      training.show(picker.adapter === '' ? undefined : news.training);
      promptTab.offerExample();
      table.update();
      break;
    case 'history':
      if (news.subject === subject) history.show(news.entries);
      break;
    default:
      writing.receive(news);
  }
}

/** What is picked is another one, perhaps. */
function update(): void {
  const chosen = picker.adapter || picker.model;
  if (!isFirst && chosen !== '' && chosen !== subject) {
    subject = chosen;
    history.show([]);
    tellHistory(null);
  }
  if (!isFirst) {
    history.subject = picker.name;
    access.pick(picked());
  }
  writing.dropUnlessBy(picker.writers.map(({ id }) => id));
  showReady();
  promptTab.update();
  table.update();
  chat.update();
  keep();
}

/** Who is asked in a conversation. */
function picked(): ChatSubject {
  return { model: picker.model, adapter: picker.adapter || null };
}

function noModel(): string | undefined {
  return picker.model === '' && !isFirst ? texts.noModelsHint : undefined;
}

/** Why there can be no conversation. */
function noChat(): string | undefined {
  return noModel() ?? (access.isDenied ? texts.noChatTemplate : undefined);
}

function showReady(): void {
  // What cannot be used any more loses the focus.
  const hadFocus = chat.root.contains(document.activeElement);
  promptTab.setReady(noModel());
  table.setReady(noModel());
  chat.setReady(noChat());
  views.allow('chat', noChat());
  if (noChat() === undefined) showText(notice, '');
  else if (views.chosen === 'chat') leaveChat(hadFocus);
}

/** Shows what was wanted, unless it is not known yet whether it can be. */
function fulfil(): void {
  if (wish === undefined || (wish === 'chat' && access.isOpen)) return;
  const tab = wish;
  wish = undefined;
  if (tab === 'chat' && noChat() !== undefined) {
    leaveChat(true);
    return;
  }
  views.choose(tab);
  focusTab();
}

/** Leads from where nothing can be done to where something can, and says why. */
function leaveChat(takesFocus: boolean): void {
  views.choose('prompt');
  showText(notice, noChat() ?? '');
  if (takesFocus) focusTab();
}

/** Lets the user type. */
function focusTab(): void {
  if (views.chosen === 'prompt') promptTab.focus();
  else if (views.chosen === 'chat') chat.focus();
  else views.focus();
}

function showBusy(): void {
  promptTab.update();
  table.update();
  chat.update();
}

function tellHistory(change: 'clear' | null): void {
  if (subject !== undefined) host.send({ type: 'history', subject, change });
}

function showAgain({ question, answers, sampling: drawn, turns }: HistoryEntry): void {
  writing.drop();
  if (drawn !== undefined) sampling.show(drawn);
  if (turns.length > 0 && noChat() === undefined) {
    views.choose('chat');
    chat.show(turns);
  } else {
    views.choose('prompt');
    promptTab.show(question, answers);
  }
  keep();
  window.scrollTo({ top: 0 });
}

function keep(): void {
  keeper.keep();
}

function storeState(): void {
  host.setState({
    ...picker.state,
    tab: views.chosen,
    question: promptTab.question,
    answered: promptTab.answered,
    sampling: sampling.state,
    outputs: promptTab.outputs,
    rows: table.rows,
    ...chat.state,
  });
}
