import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import {
  demoFolder,
  PATIENCE_MS,
  RUNS_TIMEOUT_MS,
  runPanel,
  waitForState,
} from './editor/demo-runs.ts';
import { openEditor } from './editor/editor.ts';

test(
  'a run that did not learn says so in panel, view and notification, and one that did does not',
  async () => {
    const run = { maxSteps: 60, kept: 6 };
    const folder = await demoFolder(
      // Long enough to turn away from its panel.
      { name: 'wild', learningRate: 50, accumulation: 12, ...run },
      { name: 'sane', learningRate: 5e-3, accumulation: 1, ...run },
    );
    const editor = await openEditor({ folder });
    const { page } = editor;
    await editor.openFile('wild.lorafa.json');
    await editor.runCommand('LoRA-FA: Start Run');
    await runPanel(editor, 'wild');
    // Who sees the panel is not told by a notification.
    await editor.openFile('wild.lorafa.json');
    await page
      .locator('.notification-toast', { hasText: 'wild: Completed, but did not learn.' })
      .waitFor({ timeout: PATIENCE_MS });
    await page.getByRole('button', { name: 'Open Run Panel' }).click();
    let panel = await runPanel(editor, 'wild');
    await waitForState(panel, 'Completed');
    const verdict = panel.locator('.verdict');
    await verdict.getByText('Completed, but did not learn.').waitFor();
    await verdict.getByText(/Lower training\.learning_rate: it is 50, and 3e-4 is usual/).waitFor();
    await editor.openActivity('LoRA-FA');
    await page.getByRole('treeitem', { name: /wild, Completed, but did not learn/ }).waitFor();
    await editor.runCommand('Notifications: Clear All Notifications');
    await editor.examine('run-in-vain', panel);

    await editor.openFile('sane.lorafa.json');
    await editor.runCommand('LoRA-FA: Start Run');
    panel = await runPanel(editor, 'sane');
    await waitForState(panel, 'Completed');
    expect(await panel.locator('.verdict').isVisible()).toBe(false);
  },
  RUNS_TIMEOUT_MS,
);

test('a run of one step draws its point, and its evaluation before it', async () => {
  const folder = await demoFolder({
    ...{ name: 'short', maxSteps: 1, learningRate: 5e-3 },
    ...{ accumulation: 1, kept: 1 },
  });
  const file = path.join(folder, 'short.lorafa.json');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll(/"(eval|save)_steps": [\d.]+/g, '"$1_steps": 1'));
  const editor = await openEditor({ folder });
  await editor.openFile('short.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  const panel = await runPanel(editor, 'short');
  await waitForState(panel, 'Completed');
  const plot = panel.locator('.chart-plot').first();
  await expect.poll(() => plot.getAttribute('aria-label')).toMatch(/evaluation: .* 2 points\./);
  // Something is drawn in the colour of the training loss, though there is no line.
  await expect.poll(() => plot.locator('canvas').evaluate(bluePixels)).toBeGreaterThan(10);
});

/** What is used of the page's own type. */
interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): {
    getImageData(...area: readonly number[]): { readonly data: Uint8ClampedArray };
  };
}

/** Pixels of a picture that are rather blue. */
function bluePixels(canvas: Canvas): number {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, , blue, alpha] = data.slice(at, at + 4);
    if (alpha! > 128 && blue! > 120 && blue! > red! + 60) count += 1;
  }
  return count;
}
