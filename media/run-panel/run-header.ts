import type { SessionFacts } from '../../engine/train/events.ts';
import { ADAPTER_TASKS } from '../../extension/models/adapter-commands.ts';
import type {
  ChatNews,
  CheckpointTask,
  RunNews,
  RunPanelRequest,
} from '../../extension/runs/run-panel-messages.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import { inferredCount } from '../../server/inferred-count.ts';
import { visible } from '../../server/plain-text.ts';
import { element, showText } from '../webview/element.ts';
import { formatBytes, formatCount, formatNumber } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';
import { VerdictLine } from './verdict-line.ts';

/** The latest of them; all are in the log. */
const SHOWN_WARNINGS = 10;

/** The words before the buttons of an adapter. */
const USE_LABEL = 'use-adapter';

type Send = (request: RunPanelRequest) => void;

/** Name, state, progress and buttons of the run, and what is fixed about it. */
export class RunHeader {
  readonly root: HTMLElement;
  readonly #texts: RunPanelTexts;
  readonly #send: Send;
  readonly #name = element('h1');
  readonly #state = element('span', { class: 'state' });
  /** Read aloud when it changes: the state, not every step. */
  readonly #spoken = element('span', { class: 'spoken', attributes: { role: 'status' } });
  readonly #buttons = element('div', { class: 'toolbar' });
  readonly #useLabel = element('span', { class: 'quiet', attributes: { id: USE_LABEL } });
  readonly #useButtons = element('div', { class: 'toolbar' });
  readonly #use = element(
    'div',
    { class: 'use', attributes: { role: 'group', 'aria-labelledby': USE_LABEL, hidden: true } },
    [this.#useLabel, this.#useButtons],
  );
  readonly #progress = element('progress');
  readonly #position = element('span', { class: 'position' });
  readonly #reason = element('p', { class: 'reason', attributes: { role: 'alert' } });
  readonly #attempt = element('p', { class: 'reason attempt' });
  readonly #verdict = new VerdictLine();
  readonly #warnings = element('ul', { class: 'warnings', attributes: { hidden: true } });
  readonly #facts = element('dl');
  #news: RunNews | undefined;
  #chat: ChatNews | undefined;
  #session: SessionFacts | undefined;
  #bestEval: { readonly x: number; readonly y: number } | undefined;

  constructor(texts: RunPanelTexts, send: Send) {
    this.#texts = texts;
    this.#send = send;
    this.#progress.setAttribute('aria-label', texts.progress);
    this.#warnings.setAttribute('aria-label', texts.warnings);
    this.root = element('header', {}, [
      element('div', { class: 'title' }, [this.#name, this.#state, this.#spoken, this.#buttons]),
      element('div', { class: 'progress' }, [this.#progress, this.#position]),
      this.#use,
      this.#reason,
      this.#attempt,
      this.#verdict.root,
      this.#warnings,
      element('div', { class: 'facts' }, [
        this.#facts,
        element('div', { class: 'links' }, [
          link(texts.openConfig, () => send({ type: 'open', what: 'configFile' })),
          link(texts.openFolder, () => send({ type: 'open', what: 'folder' })),
          link(texts.exportMetrics, () => send({ type: 'export' })),
        ]),
      ]),
    ]);
  }

  /** Shows where the run stands now. */
  show(news: RunNews): void {
    const before = this.#news;
    this.#news = news;
    const { run, stateLabel, description } = news;
    const { status } = run;
    showText(this.#name, run.name);
    this.#name.title = visible(run.folder);
    showText(this.#state, stateLabel);
    const state = run.unheard === null ? status.state : 'unheard';
    this.#state.dataset['state'] = state;
    if (this.#spoken.dataset['state'] !== state) {
      this.#spoken.dataset['state'] = state;
      showText(this.#spoken, `${run.name}: ${description}`);
    }
    this.#showProgress(news);
    showText(this.#reason, news.reason);
    this.#reason.hidden = news.reason === '';
    showText(this.#attempt, news.attempt ?? '');
    this.#attempt.hidden = news.attempt === null;
    this.#verdict.show(news);
    const buttonsOf = (of: RunNews | undefined): string =>
      JSON.stringify([of?.abilities, of?.run.adapter]);
    if (buttonsOf(before) !== buttonsOf(news)) this.#showButtons();
    this.#showFacts();
  }

  /** Shows whether one can chat with the adapter. */
  showChat(chat: ChatNews): void {
    const before = this.#cannotChat;
    this.#chat = chat;
    // Buttons that are made anew take the focus from whoever is on one of them.
    if (this.#news !== undefined && this.#cannotChat !== before) this.#showButtons();
  }

  get #cannotChat(): boolean {
    const { adapter } = this.#news?.run ?? {};
    return this.#chat?.adapter === adapter && this.#chat?.isPossible === false;
  }

  /** Shows what is fixed since the session began. */
  showFacts(session: SessionFacts): void {
    this.#session = session;
    this.#showFacts();
  }

  /** Shows what the session has warned of, such as a checkpoint that could not be used. */
  addWarnings(messages: readonly string[], isStart: boolean): void {
    if (isStart) this.#warnings.replaceChildren();
    const latest = messages.slice(-SHOWN_WARNINGS);
    this.#warnings.append(...latest.map((text) => element('li', { text })));
    while (this.#warnings.childElementCount > SHOWN_WARNINGS) {
      this.#warnings.firstElementChild!.remove();
    }
    this.#warnings.hidden = this.#warnings.childElementCount === 0;
  }

  /** Shows the best evaluation so far. */
  showBestEval(best: { readonly x: number; readonly y: number } | undefined): void {
    this.#bestEval = best;
    this.#showFacts();
  }

  #showProgress({ run: { status }, timeLeft }: RunNews): void {
    const { progress, step, maxSteps } = status;
    const { steps, timeLeft: left } = this.#texts;
    if (progress !== null && step === 0) {
      this.#progress.max = progress.total || 1;
      this.#progress.value = progress.done;
      const { task, download } = progress;
      showText(this.#position, download === undefined ? task : `${task}: ${download}`);
      return;
    }
    this.#progress.max = maxSteps || 1;
    this.#progress.value = step;
    const position = maxSteps === 0 ? '' : fill(steps, formatCount(step), formatCount(maxSteps));
    const percent = maxSteps === 0 ? '' : `${Math.floor((100 * step) / maxSteps)}%`;
    const parts = [percent, position, timeLeft === null ? '' : fill(left, timeLeft)];
    showText(this.#position, parts.filter((part) => part !== '').join(' · '));
  }

  #showButtons(): void {
    const { abilities, run } = this.#news!;
    const texts = this.#texts;
    const canUse = abilities.canUseAdapter && !run.isLive;
    const isResult = run.adapter === run.folder;
    const control = (action: Extract<RunPanelRequest, { type: 'control' }>['action']) => () =>
      this.#send({ type: 'control', action });
    const use = (task: CheckpointTask, folder: string) => () =>
      this.#send({ type: 'checkpoint', task, folder });
    const buttons = [
      abilities.canPause && button(texts.pause, control('pause')),
      abilities.canResume && button(texts.resume, control('resume'), { isPrimary: true }),
      abilities.canCheckpoint &&
        button(texts.checkpointNow, control('checkpoint'), { hint: texts.checkpointNowHint }),
      abilities.canStop && button(texts.stop, control('stop'), { hint: texts.stopHint }),
      abilities.canDiscard && button(texts.discard, control('cancel'), { hint: texts.discardHint }),
      abilities.canResumeFromCheckpoint &&
        button(texts.resumeLatest, use('resume', 'latest'), {
          isPrimary: run.status.state !== 'completed',
        }),
      abilities.canStartAgain &&
        button(texts.startAgain, use('resume', 'latest'), {
          hint: texts.startAgainHint,
          isPrimary: true,
        }),
      abilities.canTrainFurther &&
        !abilities.canResumeFromCheckpoint &&
        button(texts.trainFurther, use('further', run.adapter!), { hint: texts.trainFurtherHint }),
      abilities.canFinish &&
        run.status.state !== 'completed' &&
        button(texts.finish, use('finish', 'ask'), { hint: texts.finishHint }),
    ].filter((made) => made !== false);
    const uses = canUse
      ? ADAPTER_TASKS.map((task) => {
          const isDisabled = task === 'chat' && this.#cannotChat;
          return button(texts[`use_${task}`], use(task, run.adapter!), {
            hint: isDisabled ? texts.noChat : texts[`use_${task}_hint`],
            isPrimary: isResult && task === 'test',
            isDisabled,
          });
        })
      : [];
    // The one who pressed a button with the keyboard goes on from the button that replaces it.
    const hadFocus = [this.#buttons, this.#use].some((each) =>
      each.contains(document.activeElement),
    );
    this.#buttons.replaceChildren(...buttons);
    this.#useButtons.replaceChildren(...uses);
    showText(this.#useLabel, fill(texts.useAdapter, run.adapter?.split(/[\\/]/).at(-1) ?? ''));
    this.#use.hidden = !canUse;
    if (hadFocus) (buttons[0] ?? uses[0])?.focus();
  }

  #showFacts(): void {
    if (this.#news === undefined) return;
    const texts = this.#texts;
    const { memory } = this.#news.run.status;
    const session = this.#session;
    const rows: (readonly [name: string, value: string, hint?: string])[] = [];
    const { began, duration, device, gpu } = this.#news;
    if (began !== null) rows.push([texts.began, began]);
    if (duration !== null) rows.push([texts.duration, duration]);
    if (device !== null) rows.push([texts.device, device]);
    if (gpu !== null) rows.push([texts.gpu, gpu, texts.gpuHint]);
    // That of this program's process, which says little where others compute.
    if (memory !== null && session?.processes === undefined) {
      const { resident, peak } = memory;
      const value = fill(texts.memoryNow, formatBytes(resident), formatBytes(peak));
      rows.push([texts.memory, value, texts.memoryHint]);
    }
    if (session !== undefined) {
      const { trainableParameters, totalParameters, dataset, compute } = session;
      const { rows: count, supervisedTokens, inferredFrom } = dataset.train;
      const [learned, supervised] = [count, supervisedTokens].map((each) =>
        inferredCount(formatCount(each), inferredFrom !== undefined, texts.about),
      );
      const [trainable, total] = [trainableParameters, totalParameters].map(formatCount);
      const data = fill(texts.dataCounts, learned!, supervised!);
      rows.push(
        [texts.trainable, fill(texts.trainableOf, trainable!, total!), texts.trainableHint],
        [texts.data, data, texts.dataHint],
        [texts.compute, compute, texts.computeHint],
      );
    }
    if (this.#bestEval !== undefined) {
      const { x, y } = this.#bestEval;
      const value = fill(texts.atStep, formatNumber(y), formatCount(x));
      rows.push([texts.bestEval, value, texts.bestEvalHint]);
    }
    const { text, tags } = this.#news.run.notes;
    if (tags.length > 0) rows.push([texts.tags, tags.map((tag) => `#${tag}`).join(' ')]);
    if (text !== '') rows.push([texts.note, text]);
    this.#facts.replaceChildren(
      ...rows.map(([name, value, hint]) =>
        element('div', { attributes: { title: hint } }, [
          element('dt', { text: name }),
          element('dd', { text: value }),
        ]),
      ),
    );
  }
}

function button(
  text: string,
  click: () => void,
  {
    hint,
    isPrimary = false,
    isDisabled = false,
  }: { hint?: string; isPrimary?: boolean; isDisabled?: boolean } = {},
): HTMLButtonElement {
  const attributes = { type: 'button', title: hint, disabled: isDisabled };
  const options = { text, attributes, on: { click } };
  return element('button', isPrimary ? { ...options, class: 'primary' } : options);
}

function link(text: string, click: () => void): HTMLButtonElement {
  return element('button', { class: 'link', text, attributes: { type: 'button' }, on: { click } });
}
