import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { openEditor } from './editor/editor.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('setting up CUDA shows how much would be fetched, and fetches nothing without a yes', async () => {
  const driver = await tempFolder();
  // A machine with a driver, and with nothing else of NVIDIA's.
  await writeFile(path.join(driver, 'libcuda.so.1'), '');
  vi.stubEnv('LD_LIBRARY_PATH', driver);
  vi.stubEnv('LORAFA_CACHE_DIR', await tempFolder());
  const editor = await openEditor({ folder: await tempFolder() });
  await editor.runCommand('LoRA-FA: Set Up CUDA…');
  const dialog = editor.page.getByRole('dialog').filter({ hasText: 'Set up CUDA?' });
  await dialog.waitFor();
  expect(await dialog.innerText()).toMatch(/onnxruntime-gpu \d+\.\d+\.\d+ \(\d+ MiB\)/);
  await dialog.getByRole('button', { name: /^Fetch / }).waitFor();
  await editor.screenshot('set-up-cuda');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
});
