import type { ConfigNews } from '../../extension/runs/run-panel-messages.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import type { RunReports } from '../../server/protocol/runs.ts';
import { configTable } from '../webview/config-table.ts';
import { element } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';

/** The configuration that the run really uses, alone or beside that of another run. */
export class ConfigView {
  readonly root: HTMLElement;
  readonly #texts: RunPanelTexts;
  readonly #choice: HTMLSelectElement;
  readonly #onlyDifferences: HTMLInputElement;
  readonly #differencesLabel: HTMLElement;
  readonly #reports = element('div', { class: 'reports' });
  readonly #table = element('div', { class: 'scrolled' });
  #news: ConfigNews | undefined;

  /** @param onCompare called with the folder of the run to put beside, or null for none */
  constructor(texts: RunPanelTexts, onCompare: (folder: string | null) => void) {
    this.#texts = texts;
    this.#choice = element('select', {
      on: { change: () => onCompare(this.#choice.value === '' ? null : this.#choice.value) },
    });
    this.#onlyDifferences = element('input', {
      attributes: { type: 'checkbox', checked: true },
      on: { change: () => this.#draw() },
    });
    this.#differencesLabel = element('label', {}, [this.#onlyDifferences, texts.onlyDifferences]);
    this.root = element('div', {}, [
      element('div', { class: 'toolbar' }, [
        element('label', {}, [texts.compareWith, this.#choice]),
        this.#differencesLabel,
      ]),
      this.#reports,
      this.#table,
    ]);
  }

  show(news: ConfigNews): void {
    this.#news = news;
    this.#choice.replaceChildren(
      element('option', { text: this.#texts.noComparison, attributes: { value: '' } }),
      ...news.others.map(({ folder, name }) =>
        element('option', { text: name, attributes: { value: folder } }),
      ),
    );
    this.#choice.value = news.comparedWith ?? '';
    this.#draw();
  }

  #draw(): void {
    if (this.#news === undefined) return;
    const { rows, reports, comparedWith, others } = this.#news;
    this.#reports.replaceChildren(...(reports === null ? [] : this.#reportLines(reports)));
    this.#differencesLabel.hidden = comparedWith === null;
    if (rows.length === 0) {
      const { configPending } = this.#texts;
      this.#table.replaceChildren(element('p', { class: 'quiet', text: configPending }));
      return;
    }
    const other = others.find(({ folder }) => folder === comparedWith);
    const columns = [this.#texts.thisRun, ...(other === undefined ? [] : [other.name])];
    const onlyDifferences = other !== undefined && this.#onlyDifferences.checked;
    this.#table.replaceChildren(configTable(this.#texts, { rows, columns, onlyDifferences }));
  }

  #reportLines({ folder, commands }: RunReports): readonly HTMLElement[] {
    return [
      element('p', { text: fill(this.#texts.reports, folder) }),
      ...commands.map((command) => element('p', { class: 'code', text: command })),
    ];
  }
}
