import type { CheckpointTask, RunNews } from '../../extension/runs/run-panel-messages.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import type { RunCheckpoint } from '../../server/protocol/runs.ts';
import { element } from '../webview/element.ts';
import { formatNumber } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

/** The paragraph that says why no checkpoint can be resumed from. */
const NO_RESUME = 'no-resume';

/** The checkpoints on disk, the newest first and those left behind last, each with what it is good for. */
export class CheckpointList {
  readonly root = element('div');
  readonly #texts: RunPanelTexts;
  readonly #onTask: (task: CheckpointTask, folder: string) => void;
  #shown = '';

  constructor(texts: RunPanelTexts, onTask: (task: CheckpointTask, folder: string) => void) {
    this.#texts = texts;
    this.#onTask = onTask;
  }

  show(news: RunNews): void {
    const { run, abilities, noResume } = news;
    // Only when something changed: buttons that are replaced lose the keyboard's focus.
    const { bestCheckpoint, resultCheckpoint } = news;
    const shown = [run.checkpoints, abilities, noResume, bestCheckpoint, resultCheckpoint];
    const content = JSON.stringify(shown);
    if (content === this.#shown) return;
    this.#shown = content;
    const texts = this.#texts;
    if (run.checkpoints.length === 0) {
      this.root.replaceChildren(element('p', { class: 'quiet', text: texts.noCheckpoints }));
      return;
    }
    const newestFirst = run.checkpoints
      .toReversed()
      .toSorted((a, b) => Number(b.isCurrent) - Number(a.isCurrent));
    const heading = (text: string, kind = ''): HTMLElement =>
      element('th', { class: kind, text, attributes: { scope: 'col' } });
    const table = element('table', { class: 'checkpoints' }, [
      element('thead', {}, [
        element('tr', {}, [
          heading(texts.checkpoint),
          heading(texts.loss, 'number'),
          heading(texts.eval_loss, 'number'),
          heading(texts.actions),
        ]),
      ]),
      element(
        'tbody',
        {},
        newestFirst.map((checkpoint) => this.#row(checkpoint, news)),
      ),
    ]);
    this.root.replaceChildren(
      ...(noResume === null
        ? []
        : [element('p', { class: 'quiet', text: noResume, attributes: { id: NO_RESUME } })]),
      element('div', { class: 'scrolled' }, [table]),
    );
  }

  #row(checkpoint: RunCheckpoint, news: RunNews): HTMLElement {
    const { folder, loss, evalLoss, isCurrent, problem } = checkpoint;
    const texts = this.#texts;
    const name = folder.split(/[\\/]/).at(-1)!;
    const number = (value: number | null): HTMLElement =>
      element('td', { class: 'number', text: value === null ? '–' : formatNumber(value) });
    const [label, hint] =
      problem !== null
        ? [fill(texts.damaged, name), problem]
        : isCurrent
          ? [name, folder]
          : [fill(texts.abandoned, name), texts.abandonedHint];
    const isBest = folder === news.bestCheckpoint;
    const marks = [
      ...(folder === news.resultCheckpoint ? [texts.result] : []),
      ...(isBest ? [texts.best] : []),
    ];
    return element('tr', problem === null ? {} : { class: 'damaged' }, [
      element('td', { attributes: { title: hint } }, [
        label!,
        ...(marks.length === 0
          ? []
          : [
              element('div', {
                class: 'quiet marks',
                text: marks.join(' · '),
                attributes: { title: isBest ? texts.bestHint : texts.isResult },
              }),
            ]),
      ]),
      // The curves are those of the way that the run went since.
      number(isCurrent ? loss : null),
      number(isCurrent ? evalLoss : null),
      element('td', {}, [
        this.#buttons(checkpoint, news),
        ...(problem === null ? [] : [element('div', { class: 'quiet', text: problem })]),
      ]),
    ]);
  }

  #buttons(
    { folder, problem }: RunCheckpoint,
    { abilities, noResume, resultCheckpoint }: RunNews,
  ): HTMLElement {
    const texts = this.#texts;
    const button = (text: string, task: CheckpointTask, why: string | null = null): HTMLElement =>
      element('button', {
        text,
        attributes: {
          type: 'button',
          disabled: why !== null,
          title: why ?? undefined,
          'aria-describedby': why !== null && why === noResume ? NO_RESUME : undefined,
        },
        on: { click: () => this.#onTask(task, folder) },
      });
    // Of a run that did all of its steps, that is what one can go on with.
    const isFurther = noResume !== null && abilities.canTrainFurther;
    const noFinish = abilities.canFinish ? null : noResume;
    return element('div', { class: 'toolbar' }, [
      button(texts.test, 'test', problem),
      isFurther
        ? button(texts.trainFurther, 'further', problem)
        : button(texts.resumeFromHere, 'resume', problem ?? noResume),
      button(
        texts.makeResult,
        'finish',
        problem ?? (folder === resultCheckpoint ? texts.isResult : noFinish),
      ),
      button(texts.export, 'export', problem),
      button(texts.reveal, 'reveal'),
    ]);
  }
}
