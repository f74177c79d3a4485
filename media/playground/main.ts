import type {
  HistoryEntry,
  PlaygroundNews,
  PlaygroundRequest,
  PlaygroundState,
  PlaygroundTab,
} from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { element, showText } from '../webview/element.ts';
import { connectHost } from '../webview/host.ts';
import { tabs } from '../webview/tabs.ts';
import { readTexts } from '../webview/texts.ts';
import { ChatTab } from './chat-tab.ts';
import { Examples } from './examples.ts';
import { HistoryList } from './history-list.ts';
import { ModelPicker } from './model-picker.ts';
import type { PlaygroundParts } from './parts.ts';
import { PromptTab } from './prompt-tab.ts';
import { PromptTable } from './prompt-table.ts';
import { SamplingForm } from './sampling-form.ts';
import { TrainingLine } from './training-line.ts';
import { Writing } from './writing.ts';

/** The playground: who writes, on what, and what was written: a prompt, a table of them, a chat. */
const texts = readTexts<PlaygroundTexts>();
const host = connectHost<PlaygroundNews, PlaygroundRequest, PlaygroundState>();
const saved = host.getState();
let tab = saved?.tab;
/** Whose history and training are shown: the adapter's folder, or the base model alone. */
let subject: string | undefined;
/** The first news of what can be picked are still to come. */
let isFirst = true;

const picker = new ModelPicker(texts, saved, {
  onChange: update,
  onRefresh: () => host.send({ type: 'catalog' }),
});
const training = new TrainingLine(texts);
const sampling = new SamplingForm(texts, saved, keep);
const examples = new Examples();
const writing = new Writing(host.send, showBusy);
const history = new HistoryList(texts, {
  onShow: showAgain,
  onClear: () => tellHistory('clear'),
});
const parts: PlaygroundParts = {
  writing,
  writers: () => picker.writers,
  async write(prompt, wanted) {
    const chosen = sampling.read();
    if (chosen === undefined) return false;
    const { model, device } = picker;
    const isDone = await writing.write({ model, device, prompt, sampling: chosen }, wanted);
    keep();
    return isDone;
  },
  subject: () => subject,
  remember(about, { question, answers, turns = [] }) {
    if (about === undefined || answers.every(({ text }) => text === '')) return;
    const change = { time: new Date().toISOString(), question, answers, turns };
    host.send({ type: 'history', subject: about, change });
  },
  keep,
  onShowLogs: () => host.send({ type: 'showLogs' }),
};
const promptTab = new PromptTab(texts, parts, examples, saved ?? {});
const table = new PromptTable(texts, parts, examples, {
  saved: saved?.rows ?? [],
  promptOf: () => promptTab.question,
});
const chat = new ChatTab(texts, parts, saved?.turns ?? []);
const problem = element('p', { class: 'problem', attributes: { role: 'alert', hidden: true } });
const views = tabs(
  texts.modes,
  [
    { id: 'prompt', label: texts.promptTab, content: promptTab.root },
    { id: 'table', label: texts.tableTab, content: table.root },
    { id: 'chat', label: texts.chatTab, content: chat.root },
  ],
  tab,
  (chosen) => {
    tab = chosen;
    keep();
  },
);

document.body.append(
  element('main', {}, [
    element('h1', { text: texts.title }),
    problem,
    picker.root,
    training.root,
    sampling.root,
    views,
    history.root,
  ]),
);
host.listen(receive);
host.send({ type: 'catalog' });

function receive(news: PlaygroundNews): void {
  switch (news.type) {
    case 'catalog':
      problem.hidden = true;
      isFirst = false;
      picker.show(news);
      break;
    case 'problem':
      showText(problem, news.message);
      problem.hidden = false;
      break;
    case 'prompt':
      choose('prompt');
      promptTab.show({ mode: 'chat', context: [], prompt: news.prompt, expected: null });
      keep();
      break;
    case 'tab':
      choose(news.tab);
      break;
    case 'moved':
      picker.follow(news);
      break;
    case 'training':
      if (news.adapter !== subject) break;
      examples.show(news);
      training.show(picker.adapter === '' ? undefined : news.training);
      showReady();
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
  // The picker tells of itself before the rest of the page is there.
  queueMicrotask(() => {
    const picked = picker.adapter || picker.model;
    if (!isFirst && picked !== '' && picked !== subject) {
      subject = picked;
      history.show([]);
      tellHistory(null);
    }
    writing.dropUnlessBy(picker.writers.map(({ id }) => id));
    showReady();
    promptTab.update();
    table.update();
    chat.update();
    keep();
  });
}

function showReady(): void {
  const noModel = picker.model === '' && !isFirst ? texts.noModelsHint : undefined;
  promptTab.setReady(noModel);
  table.setReady(noModel);
  const hasNoTemplate = examples.training?.hasChatTemplate === false;
  chat.setReady(noModel ?? (hasNoTemplate ? texts.noChatTemplate : undefined));
}

function showBusy(): void {
  promptTab.update();
  table.update();
  chat.update();
}

function tellHistory(change: 'clear' | null): void {
  if (subject !== undefined) host.send({ type: 'history', subject, change });
}

function showAgain({ question, answers, turns }: HistoryEntry): void {
  writing.drop();
  if (turns.length > 0) {
    choose('chat');
    chat.show(turns);
  } else {
    choose('prompt');
    promptTab.show(
      question,
      answers.map(({ text }) => text),
    );
  }
  keep();
  window.scrollTo({ top: 0 });
}

function choose(id: PlaygroundTab): void {
  views.querySelector<HTMLElement>(`#tab-${id}`)!.click();
}

function keep(): void {
  host.setState({
    ...picker.state,
    ...(tab !== undefined && { tab }),
    question: promptTab.question,
    sampling: sampling.state,
    outputs: promptTab.outputs,
    rows: table.rows,
    turns: chat.turns,
  });
}
