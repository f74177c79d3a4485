import type {
  PlaygroundNews,
  PlaygroundRequest,
  PlaygroundState,
  Side,
} from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { element, showText } from '../webview/element.ts';
import { connectHost } from '../webview/host.ts';
import { readTexts } from '../webview/texts.ts';
import { ModelPicker } from './model-picker.ts';
import { OutputView } from './output-view.ts';
import { PromptForm } from './prompt-form.ts';

/** The playground: what to write with, what to write on, and what was written, side by side. */
const texts = readTexts<PlaygroundTexts>();
const host = connectHost<PlaygroundNews, PlaygroundRequest, PlaygroundState>();
const saved = host.getState();

const picker = new ModelPicker(texts, saved, {
  onChange: update,
  onRefresh: () => host.send({ type: 'catalog' }),
});
const form = new PromptForm(texts, saved, {
  onChange: keep,
  onGenerate: generate,
  onStop: () => host.send({ type: 'stop' }),
});
const outputs: Readonly<Record<Side, OutputView>> = {
  base: new OutputView(texts, texts.baseTitle, saved?.outputs.base),
  adapter: new OutputView(texts, texts.adapterTitle, saved?.outputs.adapter),
};
const problem = element('p', { class: 'problem', attributes: { role: 'alert', hidden: true } });

document.body.append(
  element('main', {}, [
    element('h1', { text: texts.title }),
    problem,
    picker.root,
    form.root,
    element('div', { class: 'outputs' }, [outputs.base.root, outputs.adapter.root]),
  ]),
);
host.listen(receive);
host.send({ type: 'catalog' });
update();

function receive(news: PlaygroundNews): void {
  switch (news.type) {
    case 'catalog':
      problem.hidden = true;
      picker.show(news);
      update();
      break;
    case 'problem':
      showText(problem, news.message);
      problem.hidden = false;
      break;
    case 'prompt':
      form.prompt = news.prompt;
      keep();
      break;
    case 'loading':
      outputs[news.side].showLoading(news.share);
      break;
    case 'piece':
      outputs[news.side].add(news.text);
      break;
    case 'done':
      outputs[news.side].finish(news.answer);
      settle();
      break;
    case 'failed':
      outputs[news.side].fail(news.message);
      settle();
      break;
  }
}

/** The texts that are wanted by what is picked. */
function sides(): readonly Side[] {
  if (picker.adapter === '') return ['base'];
  return picker.isCompared ? ['base', 'adapter'] : ['adapter'];
}

function generate(): void {
  const { model, device, quantization, adapter } = picker;
  const { mode, prompt, sampling } = form;
  for (const side of sides()) outputs[side].start();
  form.isBusy = true;
  host.send({
    type: 'generate',
    sides: sides(),
    ...{ model, device, quantization, mode, prompt, sampling },
    adapter: adapter === '' ? null : adapter,
  });
  keep();
}

function settle(): void {
  form.isBusy = sides().some((side) => outputs[side].isWriting);
  keep();
}

function update(): void {
  const shown = sides();
  outputs.base.root.hidden = !shown.includes('base');
  outputs.adapter.root.hidden = !shown.includes('adapter');
  form.canGenerate = picker.model !== '';
  keep();
}

function keep(): void {
  host.setState({
    ...picker.state,
    ...form.state,
    outputs: { base: outputs.base.state, adapter: outputs.adapter.state },
  });
}
