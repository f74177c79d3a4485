import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import type { SampleRow } from '../../extension/runs/sample-rows.ts';
import { element } from '../webview/element.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

interface Answer {
  readonly step: number;
  readonly text: string;
}

/** What the model answered to each prompt as it learned, the newest answer first. */
export class SampleList {
  readonly root = element('div', { class: 'samples' });
  readonly #texts: RunPanelTexts;
  readonly #answers = new Map<string, Answer[]>();

  constructor(texts: RunPanelTexts) {
    this.#texts = texts;
    this.#draw();
  }

  /** Adds answers, or begins anew with them. */
  add(rows: readonly SampleRow[], isStart: boolean): void {
    if (isStart) this.#answers.clear();
    for (const row of rows) {
      if ('resumedAt' in row) this.#dropBeyond(row.resumedAt);
      else {
        const { prompt, step, text } = row;
        this.#answers.set(prompt, [{ step, text }, ...(this.#answers.get(prompt) ?? [])]);
      }
    }
    this.#draw();
  }

  /** A session that resumes from a step does again what came after it. */
  #dropBeyond(step: number): void {
    for (const [prompt, answers] of this.#answers) {
      const kept = answers.filter((answer) => answer.step <= step);
      if (kept.length > 0) this.#answers.set(prompt, kept);
      else this.#answers.delete(prompt);
    }
  }

  #draw(): void {
    if (this.#answers.size === 0) {
      this.root.replaceChildren(element('p', { class: 'quiet', text: this.#texts.noSamples }));
      return;
    }
    const sections = [...this.#answers].map(([prompt, answers]) =>
      element('section', {}, [
        element('h3', { text: prompt }),
        element(
          'dl',
          {},
          answers.flatMap(({ step, text }) => [
            element('dt', {
              class: 'quiet',
              text: fill(this.#texts.stepNumber, formatCount(step)),
            }),
            element('dd', { class: 'code', text }),
          ]),
        ),
      ]),
    );
    this.root.replaceChildren(...sections);
  }
}
