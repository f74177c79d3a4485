import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { filesHolding } from '../support/files-holding.ts';
import { HubWorld } from '../support/hub-server/hub-world.ts';
import { type HubRepository, hubRepository } from '../support/hub-server/repositories.ts';
import { filesOf } from '../support/hub-server/tiny-repositories.ts';
import { openEditor } from './editor/editor.ts';
import { NEW_SETTINGS, Newcomer } from './editor/newcomer.ts';
import { THEMES } from './editor/themes.ts';

const TIMEOUT_MS = 600_000;
const SENTENCE = 'Milo is 70 years old and lives in Toulouse.';
const TOKEN = 'hf_canaryOfWhoLooksForModels';

/** The demo's base model under another name, as somebody may have published it. */
async function published(
  name: string,
  options: Parameters<typeof hubRepository>[3] = {},
): Promise<HubRepository> {
  return hubRepository('model', name, await filesOf('media/demo/base'), options);
}

/** The demo's data as somebody may have published them. */
async function publishedData(name: string, rows: number): Promise<HubRepository> {
  const lines = (await readFile('media/demo/data/train.jsonl', 'utf8')).split('\n').slice(0, rows);
  const tags = ['format:json', 'modality:text', 'license:mit', 'size_categories:n<1K'];
  return hubRepository('dataset', name, { 'train.jsonl': lines.join('\n') }, { tags });
}

test('from an empty folder to the first tuned answer, with a model and data found by their names', {
  timeout: TIMEOUT_MS,
}, async () => {
  const world = await HubWorld.create(
    await published('somebody/tiny-reader', { tags: ['license:apache-2.0'], downloads: 1200 }),
    await published('somebody/tiny-secret', { access: 'gated', downloads: 900 }),
    hubRepository('model', 'somebody/tiny-reader-GGUF', { 'tiny.Q8_0.gguf': 'GGUF llama' }),
    await publishedData('somebody/people-as-json', 60),
  );
  const folder = path.join(world.folder, 'workspace');
  await mkdir(folder);
  const editor = await openEditor({ folder, settings: NEW_SETTINGS, trusted: false });
  const newcomer = new Newcomer(editor);
  const { page } = editor;
  const title = (text: string) => page.locator('.quick-input-title', { hasText: text });
  await newcomer.trust();
  await newcomer.click(page.locator('.activitybar .action-label[aria-label="LoRA-FA"]'));
  await newcomer.click(newcomer.button('New Run Configuration'));

  // Well-known models with what they take, which nobody is asked for.
  await newcomer.row(/TinyLlama-1.1B.*Apache 2.0.*Trains in/s).waitFor();
  await editor.screenshot('find-model', THEMES);
  expect(world.hub.requests).toEqual([]);
  await page.keyboard.type('tiny');
  await newcomer.row(/tiny-reader.*Apache 2.0.*Trains in/s).waitFor();
  await newcomer.row(/tiny-secret.*Choose it to ask for access/s).waitFor();
  await editor.screenshot('find-model-search', THEMES);
  expect(
    world.hub.requests.every(({ range }) => range === undefined || range.startsWith('bytes=0-')),
  ).toBe(true);
  await newcomer.click(newcomer.row(/somebody\/tiny-reader.*Trains in/s));

  await title('training data (2/4)').waitFor();
  await newcomer.row('MetaMathQA-40K').waitFor();
  await editor.screenshot('find-data', THEMES);
  await page.keyboard.type('people');
  await newcomer.click(newcomer.row('somebody/people-as-json'));
  await title('columns of somebody/people-as-json (3/4)').waitFor();
  await newcomer.row('Learn prompt → completion').waitFor();
  // What the row under the pointer says of itself would be in the way, and so would what is over.
  await page.locator('.notification-list-item').waitFor({ state: 'detached' });
  await page.mouse.move(640, 780);
  await editor.screenshot('find-data-columns', THEMES);
  await page.keyboard.press('Enter');
  await title('name (4/4)').waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.tab.active[data-resource-name="people-as-json.lorafa.json"]').waitFor();
  const text = await readFile(path.join(folder, 'people-as-json.lorafa.json'), 'utf8');
  expect(text).toContain('"base_model_name_or_path": "somebody/tiny-reader"');
  expect(text).toContain('"dataset_name_or_path": "somebody/people-as-json"');
  expect(await world.damage()).toEqual([]);

  const answer = await newcomer.trainAndAsk('people-as-json', SENTENCE);
  expect(answer.length).toBeGreaterThan(0);
  newcomer.report('from the Hub');
});

test('Get a Model: gated, cancelled, and then a run of it', { timeout: TIMEOUT_MS }, async () => {
  const world = await HubWorld.create(
    await published('somebody/tiny-secret', { access: 'gated', tags: ['license:llama3.2'] }),
  );
  const { hub } = world;
  hub.tokens.add(TOKEN);
  const folder = path.join(world.folder, 'workspace');
  await mkdir(folder);
  const editor = await openEditor({ folder, settings: { 'lorafa.trace.server': 'verbose' } });
  const newcomer = new Newcomer(editor);
  const { page } = editor;
  const toast = (text: string) => page.locator('.notification-list-item', { hasText: text });
  const box = page.locator('.quick-input-widget input[type="text"]');
  await editor.openActivity('LoRA-FA');
  await page.locator('.pane-header', { hasText: 'Base Models' }).click();
  await newcomer.button('Get a Model…').waitFor();
  await editor.screenshot('base-models-welcome', THEMES);

  // A hub that has had enough says so, and can be tried again.
  await newcomer.click(newcomer.button('Get a Model…'));
  hub.fault = () => ({ status: 429, headers: { 'retry-after': '90' } });
  await box.fill('secret');
  await newcomer.row(/could not be searched.*in 90 seconds/s).waitFor();
  await editor.screenshot('find-model-refused', THEMES);
  hub.fault = () => undefined;
  // The list is there again, with what was typed.
  await newcomer.click(newcomer.row('could not be searched'));
  await newcomer.click(newcomer.row('somebody/tiny-secret'));
  await toast('is given on request').waitFor();
  await newcomer.row('Sign in to Hugging Face…').waitFor();
  await editor.screenshot('find-model-gated', THEMES);
  await newcomer.click(newcomer.row('Sign in to Hugging Face…'));
  await newcomer.row('Enter an access token…').click();
  const secret = page.locator('.quick-input-widget input[type="password"]');
  await secret.fill(TOKEN);
  await secret.press('Enter');
  await toast('Signed in to Hugging Face as somebody.').waitFor();

  const found = newcomer.row(/somebody\/tiny-secret.*Llama 3.2 licence.*Trains in/s);
  await found.waitFor();
  const download = toast('Getting somebody/tiny-secret');
  hub.fault = ({ host }) => (host === 'cdn' ? { pieceBytes: 20_000, pauseMs: 500 } : undefined);
  await found.click();
  await download.getByText(/\/s, .* left/).waitFor();
  await editor.screenshot('get-model', THEMES);
  await download.getByRole('button', { name: 'Cancel' }).click();
  await download.waitFor({ state: 'detached' });

  hub.fault = () => undefined;
  await newcomer.click(newcomer.button('Get a Model…'));
  await box.fill('secret');
  await found.click();
  const got = toast('somebody/tiny-secret is on this machine.');
  await page
    .locator('.monaco-list-row', { hasText: /somebody\/tiny-secret.*Hugging Face cache/ })
    .waitFor();
  await editor.screenshot('got-model', THEMES);
  await got.getByRole('button', { name: 'New Run Configuration' }).click();
  await page.locator('.quick-input-title', { hasText: 'training data (1/3)' }).waitFor();
  await page.keyboard.press('Escape');
  expect(await world.damage()).toEqual([]);
  expect(await filesHolding(world.folder, TOKEN)).toEqual([]);
  expect(await filesHolding(editor.logs, TOKEN)).toEqual([]);
});
