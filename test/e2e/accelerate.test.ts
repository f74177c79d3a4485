import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { lacks, REFERENCE_PYTHON } from '../support/reference-python.ts';
import { tempFolder } from '../support/temp-folder.ts';
import {
  chartedStep,
  demoFolder,
  PATIENCE_MS,
  RUNS_TIMEOUT_MS,
  runPanel,
  waitForState,
  waitForStep,
} from './editor/demo-runs.ts';
import { openEditor } from './editor/editor.ts';
import { PythonExtension } from './editor/python-extension.ts';

/** What Python runs in each process of Accelerate. */
const PROGRAM = 'accelerate-program/train.py';

/** Too long to end by itself, whatever the machine. */
const ENDLESS = {
  name: 'remote',
  maxSteps: 60_000,
  saveSteps: 5,
  learningRate: 5e-3,
  accumulation: 2,
  kept: 4,
};

/** The demo, to be computed by two processes of Accelerate. */
async function accelerateFolder(): Promise<string> {
  const folder = await demoFolder(ENDLESS);
  const file = path.join(folder, 'remote.lorafa.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as { training: object; engine: object };
  const training = { ...config.training, eval_steps: 10, sample_prompts: undefined };
  const engine = { ...config.engine, backend: 'accelerate' };
  const changed = { ...config, training, engine, accelerate: { num_processes: 2 } };
  await writeFile(file, JSON.stringify(changed, null, 2));
  return folder;
}

test.skipIf(lacks('peft'))(
  'a run on Accelerate is started, watched, stopped, resumed and tried as any other',
  { timeout: RUNS_TIMEOUT_MS },
  async () => {
    const folder = await accelerateFolder();
    const missing = '/nowhere/python';
    const python = await PythonExtension.write(await tempFolder(), missing);
    const editor = await openEditor({ folder, otherExtension: python.folder });
    await editor.openFile('remote.lorafa.json');
    await editor.runCommand('LoRA-FA: Start Run');
    const panel = await runPanel(editor, 'remote');
    await waitForState(panel, 'Failed');
    await panel
      .locator('.reason', { hasText: `Python cannot be started as "${missing}"` })
      .waitFor();

    // Another interpreter is selected in the Python extension.
    await python.select(REFERENCE_PYTHON);
    await panel.getByRole('button', { name: 'Start Again' }).click();
    await waitForState(panel, 'Running');
    await panel.getByText('2 × cpu (Accelerate)', { exact: true }).waitFor();
    await waitForStep(panel, 6);
    await editor.waitForStatusBar(/LoRA-FA \d+% · loss/);
    const ranks = panel.getByRole('table', { name: 'Processes that compute' }).locator('tbody tr');
    await expect.poll(() => ranks.count(), { timeout: PATIENCE_MS }).toBe(2);
    await expect
      .poll(() => ranks.last().innerText(), { timeout: PATIENCE_MS })
      .toMatch(/^1\s+cpu\s+\d.* [MG]iB\s+[\d,]+$/);
    expect(await editor.processesOf(PROGRAM)).toHaveLength(2);
    await editor.screenshot('run-on-accelerate');
    await panel.getByRole('button', { name: 'Stop' }).click();
    await waitForState(panel, 'Stopped');
    await panel.getByRole('button', { name: 'Resume from Last Checkpoint' }).click();
    await waitForState(panel, 'Running');
    const stoppedAt = await chartedStep(panel);
    await waitForStep(panel, stoppedAt + 2);
    await panel.getByRole('button', { name: 'Stop' }).click();
    await waitForState(panel, 'Stopped');
    await expect.poll(() => editor.processesOf(PROGRAM), { timeout: PATIENCE_MS }).toEqual([]);

    await panel.getByRole('button', { name: 'Test Adapter', exact: true }).click();
    const playground = await editor.webviewFrame('Playground');
    await playground
      .getByLabel('Prompt', { exact: true })
      .fill('Milo is 70 years old and lives in Toulouse.\nJSON: ');
    await playground.getByRole('button', { name: 'Generate' }).click();
    for (const name of ['Base model', 'With the adapter']) {
      await playground
        .getByRole('region', { name })
        .getByText(/tokens\/s/)
        .waitFor({ timeout: PATIENCE_MS });
    }
  },
);

test.skipIf(lacks('peft'))(
  'such a run is estimated for each process, and timed with the Python that is selected',
  { timeout: RUNS_TIMEOUT_MS },
  async () => {
    const folder = await accelerateFolder();
    const python = await PythonExtension.write(await tempFolder(), REFERENCE_PYTHON);
    const editor = await openEditor({ folder, otherExtension: python.folder });
    await editor.openFile('remote.lorafa.json');
    await editor.runCommand('LoRA-FA: Estimate Memory and Steps');
    const report = await editor.webviewFrame('Preview Estimate of remote.lorafa.json');
    // A notification does not wait for whoever reads.
    const toast = editor.page.locator('.notification-list-item', { hasText: 'is not known yet' });
    await toast.getByRole('button', { name: 'Time a Few Steps' }).click();
    await report.getByText('for each of the processes of Accelerate, 2 in all').waitFor();
    await report.getByText('measured here').waitFor({ timeout: PATIENCE_MS });
    await editor.screenshot('estimate-on-accelerate');
  },
);
