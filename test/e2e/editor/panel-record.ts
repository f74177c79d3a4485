import type { Frame, Page } from 'playwright-core';
import { METRICS, ROW_WIDTH } from '../../../extension/runs/history-rows.ts';

/** Where a loss is in a row of a run's history. */
const LOSS = 1 + METRICS.indexOf('loss');

/**
 * Has every page of the window that comes from now on write down, as `window.toldSteps`, of which
 * steps it is told a loss. A page that is told to begin anew does. It is read on the way to the
 * page's own listener, since all else that a page gets before its script runs is thrown away.
 */
export async function recordToldSteps(page: Page): Promise<void> {
  await page.addInitScript(`{
    window.toldSteps = [];
    const told = new WeakSet();
    const record = (event) => {
      const { data } = event;
      if (data?.type !== 'rows' || told.has(event)) return;
      told.add(event);
      if (data.isStart) window.toldSteps = [];
      for (let row = 0; row < data.rows.length; row += ${ROW_WIDTH}) {
        if (!Number.isNaN(data.rows[row + ${LOSS}])) window.toldSteps.push(data.rows[row]);
      }
    };
    const add = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (type, ...rest) {
      if (type === 'message') add.call(this, type, record);
      return add.call(this, type, ...rest);
    };
  }`);
}

/** The steps whose losses a run panel was told, in the order in which it was. */
export function toldSteps(panel: Frame): Promise<readonly number[]> {
  return panel.evaluate<number[]>('window.toldSteps');
}
