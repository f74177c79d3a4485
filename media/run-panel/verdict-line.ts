import type { RunNews } from '../../extension/runs/run-panel-messages.ts';
import { element, showText } from '../webview/element.ts';

/** That a run has not learned, why one thinks so, and what to try. */
export class VerdictLine {
  /** Read aloud when it changes. */
  readonly root = element('p', { class: 'verdict', attributes: { role: 'status', hidden: true } });
  readonly #label = element('strong');
  readonly #text = element('span');

  constructor() {
    this.root.append(this.#label, ' ', this.#text);
  }

  show({ verdictLabel, run: { status } }: RunNews): void {
    const { verdict } = status;
    this.root.hidden = verdictLabel === null || verdict === null;
    if (verdictLabel === null || verdict === null) return;
    showText(this.#label, `${verdictLabel}.`);
    showText(this.#text, `${verdict.message} ${verdict.advice}`);
  }
}
