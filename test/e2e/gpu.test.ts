import { expect, test, vi } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { field, formOf } from './editor/config-form.ts';
import { demoFolder, PATIENCE_MS, RUNS_TIMEOUT_MS, runPanel } from './editor/demo-runs.ts';
import { openEditor } from './editor/editor.ts';
import { LiveRun } from './editor/live-run.ts';
import { installNvidiaDriver } from './editor/nvidia-driver.ts';

const RUN = { name: 'large', maxSteps: 600, learningRate: 1e-4, accumulation: 1, kept: 2 };

/** Two GPUs of one machine, of which the second one computes; what it does goes up and down. */
function gpusAt(moment: number): readonly string[] {
  const used = 9_000 + Math.min(moment, 4) * 2_000;
  const load = [3, 71, 96, 97, 94, 97, 62, 98][moment % 8]!;
  const [temperature, power] = [41 + 2 * moment, 90 + 3.2 * load - 0.5 * moment];
  return [
    '0, NVIDIA T400 4GB, 580.65.06, 4096, 310, 3786, 2, 38, [N/A]',
    `1, NVIDIA GeForce RTX 4090, 580.65.06, 24564, ${used}, ${24_564 - used}, ${load}, ${temperature}, ${power}`,
  ];
}

test('a run on a GPU shows what that does, and says when nobody tells', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const driver = await installNvidiaDriver(...gpusAt(0));
  const folder = await demoFolder(RUN);
  const run = await LiveRun.begin(folder, RUN, 'cuda:1');
  const editor = await openEditor({ folder });
  await editor.openActivity('LoRA-FA');
  const rows = editor.page.locator('[id="workbench.view.extension.lorafa"] .monaco-list-row');
  await rows.filter({ hasText: 'large' }).click();
  const panel = await runPanel(editor, 'large');
  await panel.getByText('cuda:1 (NVIDIA GeForce RTX 4090)').waitFor();
  for (let moment = 1; moment <= 10; moment++) {
    const before = await driver.asked();
    await driver.tell(...gpusAt(moment));
    for (let step = 0; step < 6; step++) await run.step();
    await expect.poll(() => driver.asked(), { timeout: PATIENCE_MS }).toBeGreaterThan(before);
  }
  await editor.waitForStatusBar(/loss \d\.\d{3} · cuda:1$/);
  const charts = panel.getByRole('region', { name: 'What the GPU does' });
  const told = (chart: string) =>
    charts.getByRole('img', { name: chart }).getAttribute('aria-label');
  expect(await told('GPU memory')).toMatch(
    /^GPU memory: 16\.6 GiB now, between 8\.79 GiB and 16\.6 GiB in the last /,
  );
  expect(await told('GPU load')).toMatch(/ now, between 3 % and 98 % in the last /);
  await charts.scrollIntoViewIfNeeded();
  await editor.examine('run-on-gpu', panel, [() => charts.scrollIntoViewIfNeeded()]);

  await driver.fail();
  await panel.getByText('no answer from nvidia-smi').waitFor();
  await expect.poll(() => told('GPU load'), { timeout: PATIENCE_MS }).toMatch(/: unknown now/);
  await charts.scrollIntoViewIfNeeded();
  await editor.screenshot('run-on-silent-gpu');
  // What was told before is still there when somebody tells again.
  await driver.tell(...gpusAt(11));
  await panel.getByText('97 % · 63 °C').waitFor();
  expect(await told('GPU load')).toMatch(/^GPU load: 97 % now, between 3 % and 98 %/);
});

test('the form offers the devices of the machine by name and memory, and says why one cannot be used', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  await installNvidiaDriver(...gpusAt(2));
  vi.stubEnv('LORAFA_CACHE_DIR', await tempFolder());
  const folder = await demoFolder(RUN);
  const editor = await openEditor({ folder, settings: { 'workbench.editorAssociations': {} } });
  await editor.openFile('large.lorafa.json');
  const form = await formOf(editor, 'large.lorafa.json');
  await form.getByPlaceholder('Search settings').fill('engine.device');
  const device = field(form, 'engine.device');
  const list = device.locator('vscode-single-select');
  const gpu = 'cuda:1 · NVIDIA GeForce RTX 4090 · 24.0 GiB, 11.3 GiB free · not usable';
  const offered = device.locator('vscode-option');
  await offered.filter({ hasText: gpu }).waitFor({ state: 'attached', timeout: PATIENCE_MS });
  expect(await offered.allInnerTexts()).toEqual([
    'auto',
    expect.stringMatching(/^cpu · \d+ cores? · \d+\.\d GiB, \d+\.\d [GM]iB free$/),
    'cuda:0 · NVIDIA T400 4GB · 4.0 GiB, 3.7 GiB free · not usable',
    gpu,
    expect.stringMatching(/^webgpu/),
    'Other…',
  ]);
  await list.click();
  await device.locator('[role="option"]', { hasText: 'webgpu' }).waitFor();
  await editor.screenshot('device-picker');
  await device.locator('[role="option"]', { hasText: gpu }).click();
  // Its driver is only said to be there, and CUDA's libraries are missing.
  await device.getByRole('button', { name: 'Set Up CUDA…' }).waitFor();
  expect(await device.locator('.note').innerText()).toMatch(/cuda:1/);
  await editor.examine('device-unusable', form);
  await device.getByRole('button', { name: 'Set Up CUDA…' }).click();
  const told = editor.page.locator('.notification-list-item', { hasText: /driver/ });
  await told.waitFor({ timeout: PATIENCE_MS });
});
