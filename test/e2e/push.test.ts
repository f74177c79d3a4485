import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { filesHolding } from '../support/files-holding.ts';
import { folderWithAdapter } from '../support/folder-with-adapter.ts';
import { HubWorld } from '../support/hub-server/hub-world.ts';
import { openEditor } from './editor/editor.ts';

const TOKEN = 'hf_canaryOfAPushInTheEditor';

test('an adapter is pushed to the Hub, once its user has seen what is sent', async () => {
  const world = await HubWorld.create();
  const { hub } = world;
  hub.tokens.add(TOKEN);
  const folder = await folderWithAdapter();
  const editor = await openEditor({ folder, settings: { 'lorafa.trace.server': 'verbose' } });
  const { page } = editor;
  const rows = page.locator('.quick-input-widget .monaco-list-row');
  const input = page.locator('.quick-input-widget input[type="text"]');
  const toast = (text: string) => page.locator('.notification-list-item', { hasText: text });
  const dialog = page.locator('.monaco-dialog-box');
  const ask = async (): Promise<void> => {
    await editor.runCommand('LoRA-FA: Push Adapter to the Hub…');
    await rows.filter({ hasText: 'my-adapter', hasNotText: 'checkpoint' }).first().click();
    await expect.poll(() => input.inputValue()).toBe('my-adapter');
    await input.press('Enter');
  };

  // Nobody is signed in: the push goes on when somebody is.
  await ask();
  const refused = toast('Pushing to the hub needs an access token that may write');
  await refused.getByRole('button', { name: 'Sign in to Hugging Face…' }).click();
  expect(hub.requests).toEqual([]);
  const enter = async (token: string): Promise<void> => {
    await rows.filter({ hasText: 'Enter an access token…' }).click();
    const secret = page.locator('.quick-input-widget input[type="password"]');
    await secret.fill(token);
    await secret.press('Enter');
  };
  await enter('hf_mistyped');
  const mistyped = toast('The hub does not accept your access token');
  await mistyped.getByRole('button', { name: 'Sign in to Hugging Face…' }).click();
  await enter(TOKEN);
  await toast('Signed in to Hugging Face as somebody.').waitFor();
  await rows.filter({ hasText: 'Only you, or your organization' }).click();
  await dialog.getByText('A new private repository, made as somebody.').waitFor();
  await dialog.getByText(/adapter_model\.safetensors \(\d+ KiB\): new/).waitFor();
  await editor.screenshot('push');
  // Until then the Hub was only asked.
  expect(hub.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  // The card can be read before, and it is asked again beside it.
  await dialog.getByRole('button', { name: 'Read Model Card' }).click();
  const card = await editor.webviewFrame('Preview Model Card of my-adapter');
  await card.getByRole('heading', { name: 'my-adapter', exact: true }).waitFor();
  const widthOfPicture = `document.querySelector('img')?.naturalWidth ?? 0`;
  await expect.poll(() => card.evaluate<number>(widthOfPicture)).toBeGreaterThan(0);
  await rows.filter({ hasText: 'Send Nothing' }).waitFor();
  await editor.screenshot('push-card');
  await rows.filter({ hasText: 'Send Nothing' }).click();
  expect(hub.find('somebody/my-adapter')).toBeUndefined();
  await editor.runCommand('Notifications: Clear All Notifications');

  // A token that may not write is changed, with all answers kept; what breaks off is sent again.
  let [isRefused, isCut] = [false, false];
  hub.fault = ({ host, method }) => {
    if (method !== 'GET' && !isRefused) {
      isRefused = true;
      return { status: 403 };
    }
    if (host !== 'cdn' || isCut) return undefined;
    isCut = true;
    return { cutWhenReceived: 500 };
  };
  await ask();
  await rows.filter({ hasText: 'Only you, or your organization' }).click();
  await dialog.getByRole('button', { name: 'Push' }).click();
  const forbidden = toast('Your access token does not allow to write to');
  await forbidden.getByRole('button', { name: 'Sign in to Hugging Face…' }).click();
  await enter(TOKEN);
  await toast('my-adapter is on the Hugging Face Hub').waitFor();
  expect(isCut).toBe(true);
  const { access, files } = hub.find('somebody/my-adapter')!;
  expect(access).toBe('private');
  const weights = await readFile(path.join(folder, 'my-adapter/adapter_model.safetensors'));
  expect(files.get('adapter_model.safetensors')!.content.equals(weights)).toBe(true);
  expect(String(files.get('README.md')!.content)).toContain('# my-adapter\n');

  await editor.runCommand('Notifications: Clear All Notifications');
  await ask();
  await toast('All of it is in somebody/my-adapter already.').waitFor();
  expect(await filesHolding(world.folder, TOKEN)).toEqual([]);
  expect(await filesHolding(folder, TOKEN)).toEqual([]);
  expect(await filesHolding(editor.logs, TOKEN)).toEqual([]);
});
