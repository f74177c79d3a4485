import type { CheckpointTask, RunNews } from '../../extension/runs/run-panel-messages.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import { nearest } from '../charts/nearest.ts';
import type { RunHistory } from '../charts/run-history.ts';
import { element } from '../webview/element.ts';
import { formatNumber } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

/** The checkpoints on disk, the newest first and those left behind last, each with what it is good for. */
export class CheckpointList {
  readonly root = element('div');
  readonly #texts: RunPanelTexts;
  readonly #history: RunHistory;
  readonly #onTask: (task: CheckpointTask, folder: string) => void;
  #shown = '';

  constructor(
    texts: RunPanelTexts,
    history: RunHistory,
    onTask: (task: CheckpointTask, folder: string) => void,
  ) {
    this.#texts = texts;
    this.#history = history;
    this.#onTask = onTask;
  }

  show({ run, abilities }: RunNews): void {
    const rows = [
      ...run.checkpoints
        .toReversed()
        .map((folder) => ({ folder, hint: folder, ...this.#figures(folder) })),
      ...run.abandonedCheckpoints.toReversed().map((folder) => ({
        folder,
        hint: this.#texts.abandonedHint,
        // The curves are those of the way that the run went since.
        ...this.#figures(folder),
        name: fill(this.#texts.abandoned, nameOf(folder)),
        loss: '–',
        evalLoss: '–',
      })),
    ];
    // Only when something changed: buttons that are replaced lose the keyboard's focus.
    const content = JSON.stringify([rows, abilities.canResumeFromCheckpoint]);
    if (content === this.#shown) return;
    this.#shown = content;
    const texts = this.#texts;
    if (rows.length === 0) {
      this.root.replaceChildren(element('p', { class: 'quiet', text: texts.noCheckpoints }));
      return;
    }
    const heading = (text: string, kind = ''): HTMLElement =>
      element('th', { class: kind, text, attributes: { scope: 'col' } });
    this.root.replaceChildren(
      element('table', { class: 'checkpoints' }, [
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
          rows.map(({ folder, hint, name, loss, evalLoss }) =>
            element('tr', {}, [
              element('td', { text: name, attributes: { title: hint } }),
              element('td', { class: 'number', text: loss }),
              element('td', { class: 'number', text: evalLoss }),
              element('td', {}, [this.#buttons(folder, abilities.canResumeFromCheckpoint)]),
            ]),
          ),
        ),
      ]),
    );
  }

  #figures(folder: string): { name: string; loss: string; evalLoss: string } {
    const name = nameOf(folder);
    const step = Number(/\d+$/.exec(name)?.[0]);
    const loss = nearest(this.#history.points('loss'), step);
    const evalLoss = nearest(this.#history.points('eval_loss'), step);
    return {
      name,
      loss: loss === undefined ? '–' : formatNumber(loss.y),
      // An evaluation at another step says little about this checkpoint.
      evalLoss: evalLoss?.x === step ? formatNumber(evalLoss.y) : '–',
    };
  }

  #buttons(folder: string, canResume: boolean): HTMLElement {
    const texts = this.#texts;
    const button = (text: string, task: CheckpointTask, disabled = false): HTMLElement =>
      element('button', {
        text,
        attributes: { type: 'button', disabled },
        on: { click: () => this.#onTask(task, folder) },
      });
    return element('div', { class: 'toolbar' }, [
      button(texts.test, 'test'),
      button(texts.resumeFromHere, 'resume', !canResume),
      button(texts.export, 'export'),
      button(texts.reveal, 'reveal'),
    ]);
  }
}

function nameOf(folder: string): string {
  return folder.split(/[\\/]/).at(-1)!;
}
