import type { CheckpointTask, RunNews } from '../../extension/runs/run-panel-messages.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import type { RunCheckpoint } from '../../server/protocol.ts';
import { element } from '../webview/element.ts';
import { formatNumber } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

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

  show({ run, abilities }: RunNews): void {
    // Only when something changed: buttons that are replaced lose the keyboard's focus.
    const content = JSON.stringify([run.checkpoints, abilities]);
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
        newestFirst.map((checkpoint) => this.#row(checkpoint, abilities)),
      ),
    ]);
    this.root.replaceChildren(element('div', { class: 'scrolled' }, [table]));
  }

  #row(checkpoint: RunCheckpoint, abilities: RunNews['abilities']): HTMLElement {
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
    return element('tr', problem === null ? {} : { class: 'damaged' }, [
      element('td', { attributes: { title: hint } }, [
        label,
        ...(problem === null ? [] : [element('div', { class: 'quiet', text: problem })]),
      ]),
      // The curves are those of the way that the run went since.
      number(isCurrent ? loss : null),
      number(isCurrent ? evalLoss : null),
      element('td', {}, [this.#buttons(checkpoint, abilities)]),
    ]);
  }

  #buttons({ folder, problem }: RunCheckpoint, abilities: RunNews['abilities']): HTMLElement {
    const texts = this.#texts;
    const isUsable = problem === null;
    const button = (text: string, task: CheckpointTask, isEnabled = true): HTMLElement =>
      element('button', {
        text,
        attributes: { type: 'button', disabled: !isEnabled, title: problem ?? undefined },
        on: { click: () => this.#onTask(task, folder) },
      });
    return element('div', { class: 'toolbar' }, [
      button(texts.test, 'test', isUsable),
      button(texts.resumeFromHere, 'resume', isUsable && abilities.canResumeFromCheckpoint),
      button(texts.makeResult, 'finish', isUsable && abilities.canFinish),
      button(texts.export, 'export', isUsable),
      button(texts.reveal, 'reveal'),
    ]);
  }
}
