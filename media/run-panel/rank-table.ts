import type { RankUsage } from '../../engine/train/events.ts';
import type { RunPanelTexts } from '../../extension/runs/run-panel-texts.ts';
import { visible } from '../../server/plain-text.ts';
import { element } from '../webview/element.ts';
import { formatBytes, formatCount } from '../webview/numbers.ts';

/** The processes that compute a run, where there are any beside this program's: a row for each rank. */
export class RankTable {
  readonly root = element('div', { class: 'scrolled', attributes: { hidden: true } });
  readonly #texts: RunPanelTexts;

  constructor(texts: RunPanelTexts) {
    this.#texts = texts;
  }

  show(ranks: readonly RankUsage[]): void {
    const texts = this.#texts;
    this.root.hidden = ranks.length === 0;
    const names = [texts.rank, texts.device, texts.memory, texts.tokens_per_second];
    const heading = element(
      'tr',
      {},
      names.map((text) => element('th', { text, attributes: { scope: 'col' } })),
    );
    const rows = ranks.map(({ device, memory, tokens_per_second: rate }, rank) => {
      const cells = [
        `${rank}`,
        visible(device),
        formatBytes(memory),
        formatCount(Math.round(rate)),
      ];
      return element(
        'tr',
        {},
        cells.map((text) => element('td', { text })),
      );
    });
    const table = element('table', { class: 'ranks', attributes: { 'aria-label': texts.ranks } }, [
      element('thead', { attributes: { title: texts.ranksHint } }, [heading]),
      element('tbody', {}, rows),
    ]);
    this.root.replaceChildren(table);
  }
}
