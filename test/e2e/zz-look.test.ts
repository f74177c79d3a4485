import { test } from 'vitest';
import { trainConfig } from '../support/demo-adapter.ts';
import { demoFolder } from './editor/demo-runs.ts';
import { openEditor } from './editor/editor.ts';

test('look', async () => {
  const run = { maxSteps: 60, accumulation: 1, kept: 6 };
  const folder = await demoFolder(
    { name: 'good', learningRate: 5e-3, ...run },
    { name: 'wild', learningRate: 50, ...run },
  );
  for (const name of ['good', 'wild']) await trainConfig(folder, name);
  const editor = await openEditor({ folder, settings: {} });
  const { page } = editor;
  let n = 0;
  const shot = async () => page.screenshot({ path: `/tmp/wtplay/l${n++}.png` });
  await editor.runCommand('LoRA-FA: Test Adapter');
  const frame = await editor.webviewFrame('Playground');
  await page.waitForTimeout(3000);
  await frame
    .getByRole('combobox', { name: 'Adapter', exact: true })
    .selectOption({ label: 'good' });
  await page.waitForTimeout(1500);
  await shot();
  await frame.getByRole('button', { name: 'Generate' }).click();
  await page.waitForTimeout(4000);
  await shot();
  await frame.getByRole('button', { name: 'Next Example' }).click();
  await frame.getByRole('tab', { name: 'Table' }).click();
  await shot();
  await frame.getByRole('button', { name: 'Add Examples' }).click();
  await frame.getByRole('combobox', { name: 'Beside it' }).selectOption({ label: 'wild' });
  await frame.getByRole('button', { name: 'Run All' }).click();
  await page.waitForTimeout(9000);
  await shot();
  await frame.getByRole('tab', { name: 'Chat' }).click();
  await page.waitForTimeout(500);
  await shot();
  await frame.getByText(/^History/).click();
  await page.waitForTimeout(500);
  await shot();
  await page.setViewportSize({ width: 660, height: 900 });
  await page.waitForTimeout(800);
  await shot();
  await frame.getByRole('tab', { name: 'Table' }).click();
  await page.waitForTimeout(500);
  await shot();
});
