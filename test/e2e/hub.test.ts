import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { filesHolding } from '../support/files-holding.ts';
import { HubWorld } from '../support/hub-server/hub-world.ts';
import {
  metaMathRepository,
  tinyModelRepository,
} from '../support/hub-server/tiny-repositories.ts';
import { PATIENCE_MS, RUNS_TIMEOUT_MS, waitForState } from './editor/demo-runs.ts';
import { openEditor } from './editor/editor.ts';

const TOKEN = 'hf_canaryInTheEditorPw3';

test('a gated model of the Hub: signing in, a download that is cancelled, and the run', {
  timeout: RUNS_TIMEOUT_MS,
}, async () => {
  const world = await HubWorld.create();
  const { hub } = world;
  hub.tokens.add(TOKEN);
  const model = await tinyModelRepository(path.join(world.folder, 'tiny'));
  hub.add({ ...model, access: 'gated' });
  hub.add(metaMathRepository());
  const folder = path.join(world.folder, 'workspace');
  await mkdir(folder);
  await writeFile(path.join(folder, 'own.lorafa.json'), CONFIG);
  // Whatever is sent is written down.
  const editor = await openEditor({ folder, settings: { 'lorafa.trace.server': 'verbose' } });
  const { page } = editor;
  const toast = (text: string) => page.locator('.notification-list-item', { hasText: text });

  await editor.openFile('own.lorafa.json');
  await page.locator('.squiggly-info').first().waitFor();
  expect(hub.requests).toEqual([]);
  await editor.runCommand('LoRA-FA: Start Run');
  const refused = toast('is given on request');
  await refused.waitFor({ timeout: PATIENCE_MS });
  const panel = await editor.webviewFrame('run');
  await waitForState(panel, 'Failed');
  await editor.screenshot('hub-gated');
  await refused.getByRole('button', { name: 'Sign in to Hugging Face…' }).click();
  await page.locator('.quick-input-list').getByText('Enter an access token…').click();
  const input = page.locator('.quick-input-widget input[type="password"]');
  await input.fill('hf_wrong');
  await input.press('Enter');
  await toast('does not accept your access token').waitFor();
  await editor.runCommand('LoRA-FA: Sign in to Hugging Face');
  await page.locator('.quick-input-list').getByText('Enter an access token…').click();
  await input.fill(TOKEN);
  await input.press('Enter');
  await toast('Signed in to Hugging Face as somebody.').waitFor();

  await editor.runCommand('Notifications: Clear All Notifications');
  hub.fault = ({ host }) => (host === 'cdn' ? { pieceBytes: 500, pauseMs: 500 } : undefined);
  await editor.openFile('own.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  const download = toast('downloading meta-llama/Meta-Llama-3-8B');
  await download.getByText(/\/s, .* left/).waitFor({ timeout: PATIENCE_MS });
  await editor.screenshot('hub-download');
  await download.getByRole('button', { name: 'Cancel' }).click();
  await waitForState(await editor.webviewFrame('run'), 'Cancelled');
  await download.waitFor({ state: 'detached' });

  hub.fault = () => undefined;
  await editor.openFile('own.lorafa.json');
  await editor.runCommand('LoRA-FA: Start Run');
  await waitForState(await editor.webviewFrame('run'), 'Completed');
  expect(hub.requests.some(({ range }) => range !== undefined)).toBe(true);
  expect(await world.damage()).toEqual([]);
  expect(await filesHolding(world.folder, TOKEN)).toEqual([]);
  expect(await filesHolding(editor.logs, TOKEN)).toEqual([]);
});

const CONFIG = JSON.stringify(
  {
    model: { base_model_name_or_path: 'meta-llama/Meta-Llama-3-8B' },
    data: { dataset_name_or_path: 'meta-math/MetaMathQA-40K', max_length: 64 },
    lora: { r: 2 },
    training: { output_dir: 'run', max_steps: 2 },
    engine: { device: 'cpu', intra_op_num_threads: 1 },
  },
  null,
  2,
);
