import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { folderWithAdapter } from '../support/folder-with-adapter.ts';
import { trainConfig } from '../support/train-config.ts';
import { demoFolder } from './editor/demo-runs.ts';
import { type Editor, openEditor } from './editor/editor.ts';

const RUN = { maxSteps: 60, accumulation: 1, kept: 6, learningRate: 5e-3 };

async function pickAdapter(frame: Frame, label: string): Promise<void> {
  const list = frame.getByRole('combobox', { name: 'Adapter', exact: true });
  await list.locator('option', { hasText: label }).first().waitFor({ state: 'attached' });
  await list.selectOption({ label });
}

async function openPlayground(editor: Editor): Promise<Frame> {
  await editor.runCommand('LoRA-FA: Test Adapter');
  return editor.webviewFrame('Playground');
}

test('a newcomer finds a prompt that fits, its answer, several in a table, and what was tried', async () => {
  const folder = await demoFolder({ name: 'first', ...RUN }, { name: 'second', ...RUN });
  for (const name of ['first', 'second']) await trainConfig(folder, name);
  // A run that was stopped has checkpoints alone.
  for (const name of ['adapter_config.json', 'adapter_model.safetensors']) {
    await rm(path.join(folder, 'runs', 'second', name));
  }
  // Rows are tried that were held out, though they are gone.
  await rm(path.join(folder, 'data'), { recursive: true });
  const editor = await openEditor({ folder });
  let frame = await openPlayground(editor);
  await pickAdapter(frame, 'first');
  await frame.getByText(/Trained on 784 rows of train\.jsonl: prompt → completion/).waitFor();
  await frame.getByText('Row 1 of 16 that it did not learn from').waitFor();
  const first = await prompt(frame).inputValue();
  expect(first).toMatch(/\nJSON: $/);
  const expected = frame.getByRole('region', { name: 'Expected answer' });
  expect(await expected.locator('pre').textContent()).toMatch(/^\{"name": /);
  await frame.getByRole('button', { name: 'Generate' }).click();
  const adapter = frame.getByRole('region', { name: 'With the adapter' });
  await adapter.getByText(/tokens\/s/).waitFor();
  expect(await adapter.locator('pre').textContent()).toMatch(/^\{"name": /);
  await frame.getByText('History of first (1)').waitFor();

  await frame.getByRole('button', { name: 'Next Example' }).click();
  await frame.getByText('Row 2 of 16 that it did not learn from').waitFor();
  expect(await prompt(frame).inputValue()).not.toBe(first);
  // A prompt of one's own is told what the adapter waits for.
  const ending = frame.getByText('The prompts it learned from end in “JSON: ”.');
  await prompt(frame).fill('Ada is 36 years old and lives in London.');
  await ending.waitFor();
  await prompt(frame).fill('Ada is 36 years old and lives in London.\nJSON: ');
  await expect.poll(() => ending.count()).toBe(0);

  // Two adapters side by side, one of them of a run that was stopped.
  await frame.getByRole('tab', { name: 'Table' }).click();
  // Nothing that can do nothing looks as if one should do it first.
  const [runAll, addExamples] = ['Run All', 'Add Examples'].map((name) =>
    frame.getByRole('button', { name }),
  );
  expect(await runAll!.isDisabled()).toBe(true);
  expect(await runAll!.getAttribute('title')).toMatch(/^Put several prompts into the table/);
  const colors = await frame.evaluate<readonly string[]>(`
    [...document.querySelectorAll('[role=tabpanel]:not([hidden]) button')]
      .filter(({ textContent }) => ['Run All', 'Add Examples'].includes(textContent))
      .map((button) => getComputedStyle(button).backgroundColor)
  `);
  expect(colors).toEqual([colors[0], colors[0]]);
  await addExamples!.click();
  await expect.poll(() => runAll!.isDisabled()).toBe(false);
  await frame
    .getByRole('combobox', { name: 'Beside it' })
    .selectOption({ label: 'checkpoint-60 of second' });
  await frame.getByRole('button', { name: 'Run All' }).click();
  await frame.getByText(/first: \d of 5 as expected/).waitFor();
  await expect
    .poll(() =>
      frame
        .locator('tbody')
        .getByText(/tokens\/s/)
        .count(),
    )
    .toBe(10);
  await frame.getByRole('columnheader', { name: 'checkpoint-60 of second' }).waitFor();
  await editor.examine('playground-table', frame);

  // What was tried comes back, also after a reload, until it is cleared.
  await editor.reload();
  frame = await editor.webviewFrame('Playground');
  await frame.getByText('History of first (1)').click();
  await frame.getByRole('button', { name: 'Show Again' }).click();
  expect(await prompt(frame).inputValue()).toBe(first);
  // The base model wrote beside it then, and is not picked now.
  const other = frame.getByRole('region', { name: 'checkpoint-60 of second' });
  expect(await other.locator('pre').textContent()).toBe('');
  await frame.getByRole('region', { name: 'first' }).getByText('From the history').waitFor();
  await frame.getByRole('button', { name: 'Clear History' }).click();
  await frame.getByText('History of first (0)').waitFor();

  // The base model of the demo continues texts: that is said where one wants to chat, which leads to where one can.
  const chat = frame.getByRole('tab', { name: 'Chat' });
  await expect.poll(() => chat.getAttribute('aria-disabled')).toBe('true');
  expect(await chat.getAttribute('title')).toMatch(/^One cannot chat with this model/);
  await frame.getByRole('tab', { name: 'Table' }).click();
  await editor.runCommand('LoRA-FA: Chat with Adapter');
  const why = frame.getByRole('status').filter({ hasText: 'One cannot chat with this model' });
  await why.waitFor();
  await frame.getByRole('tab', { name: 'One Prompt', selected: true }).waitFor();
  expect(await hasFocus(frame, prompt(frame))).toBe(true);
  await editor.screenshot('playground-no-chat');
  await frame.getByRole('tab', { name: 'Table' }).click();
  await why.waitFor({ state: 'detached' });
  await chat.dispatchEvent('click');
  await why.waitFor();
  // So it is for whoever goes on here.
  await frame.getByRole('button', { name: 'Generate' }).click();
  await why.waitFor({ state: 'detached' });
});

const prompt = (frame: Frame): Locator =>
  frame.getByRole('textbox', { name: 'Prompt', exact: true });

/** Whether what is typed next comes there. */
async function hasFocus(frame: Frame, field: Locator): Promise<boolean> {
  return (
    (await frame.evaluate<boolean>('document.hasFocus()')) &&
    (await field.and(frame.locator(':focus')).count()) === 1
  );
}

test('what is opened to be tried or talked to takes what is typed, and Escape takes it away from nothing', async () => {
  const editor = await openEditor({ folder: await folderWithAdapter() });
  const { page } = editor;
  const frame = await openPlayground(editor);
  await expect.poll(() => hasFocus(frame, prompt(frame))).toBe(true);
  await frame.getByText(/Row 1 of \d+/).waitFor();
  // An example is there by now, and gives way.
  expect(await prompt(frame).inputValue()).not.toBe('');
  await page.keyboard.type('Mine');
  expect(await prompt(frame).inputValue()).toBe('Mine');
  // What is said of an example is not said of what takes its place.
  expect(await frame.getByText(/Row \d+ of \d+/).count()).toBe(0);
  await answersBelongToTheirPrompt(frame);
  await historyTellsHowItWasDrawn(frame);

  await editor.runCommand('LoRA-FA: Chat with Adapter');
  const message = frame.getByRole('textbox', { name: 'Message' });
  await expect.poll(() => hasFocus(frame, message)).toBe(true);
  await editor.runCommand('LoRA-FA: Test Adapter');
  await expect.poll(() => hasFocus(frame, prompt(frame))).toBe(true);
  for (const place of [
    prompt(frame),
    frame.getByRole('button', { name: 'Generate' }),
    frame.getByRole('combobox', { name: 'Adapter', exact: true }),
    frame.getByRole('tab', { name: 'One Prompt' }),
  ]) {
    await place.focus();
    await page.keyboard.press('Escape');
    expect(await hasFocus(frame, place)).toBe(true);
  }
});

/** What was answered to another prompt is said to be, and what went wrong with one goes with it. */
async function answersBelongToTheirPrompt(frame: Frame): Promise<void> {
  const generate = frame.getByRole('button', { name: 'Generate' });
  const stale = frame.getByText('What stands below was written for another prompt.');
  await generate.click();
  await frame
    .getByText(/tokens\/s|ended by itself/)
    .nth(1)
    .waitFor();
  expect(await stale.count()).toBe(0);
  await prompt(frame).fill('Mine, and more');
  await stale.waitFor();
  await prompt(frame).fill('x'.repeat(2000));
  await generate.click();
  const tooLong = frame.getByText(/the model reads at most/);
  await tooLong.nth(1).waitFor();
  expect(await stale.count()).toBe(0);
  await prompt(frame).fill('Mine');
  await expect.poll(() => tooLong.count()).toBe(0);
  expect(await stale.count()).toBe(0);
}

/** What was tried comes back with its settings; the latest was not drawn as at first. */
async function historyTellsHowItWasDrawn(frame: Frame): Promise<void> {
  const seed = frame.getByLabel('Seed');
  await frame.getByText('Sampling', { exact: true }).click();
  await seed.fill('3');
  await frame.getByRole('button', { name: 'Generate' }).click();
  await frame.getByText('History of my-adapter (2)').click();
  const latest = frame.locator('.history li').first();
  await latest.getByText(/ · seed 3$/).waitFor();
  await latest.getByText('my-adapter: ').waitFor();
  await seed.fill('4');
  await latest.getByRole('button', { name: 'Show Again' }).click();
  expect(await seed.inputValue()).toBe('3');
}

test('one talks to an adapter, which sees the whole conversation', async () => {
  const editor = await openEditor({ folder: await folderWithAdapter() });
  let frame = await openPlayground(editor);
  await pickAdapter(frame, 'my-adapter');
  await frame.getByText('Sampling').click();
  await frame.getByLabel('Most new tokens').fill('12');
  await frame.getByRole('tab', { name: 'Chat' }).click();
  await frame.getByText('Talk to the model that is picked above').waitFor();
  const message = frame.getByRole('textbox', { name: 'Message' });
  for (const [turns, text] of [
    [2, '2+2?'],
    [4, 'And the capital of France?'],
  ] as const) {
    await message.fill(text);
    await message.press('Enter');
    await expect
      .poll(() =>
        frame
          .locator('.turn')
          .getByText(/tokens\/s|ended by itself|reached/)
          .count(),
      )
      .toBe(turns / 2);
    expect(await frame.locator('.turn').count()).toBe(turns);
  }
  // An answer is signed by who has written it.
  await expect.poll(() => frame.getByRole('heading', { name: 'my-adapter' }).count()).toBe(2);
  await editor.examine('playground-chat', frame);
  // One conversation is one entry, and can be gone on with.
  await frame.getByText('History of my-adapter (1)').click();
  await frame.getByRole('button', { name: 'New Chat' }).click();
  await expect.poll(() => frame.locator('.turn').count()).toBe(0);
  await frame.getByRole('button', { name: 'Show Again' }).click();
  const turns = frame.locator('.turn');
  await expect.poll(() => turns.count()).toBe(4);

  // A message that has no answer can be asked again, or taken out; the next one goes on without it.
  const tooLong = 'x'.repeat(2000);
  await message.fill(tooLong);
  await message.press('Enter');
  await frame.getByRole('button', { name: 'Try Again' }).waitFor();
  expect(await turns.count()).toBe(6);
  await editor.examine('playground-chat-failed', frame);
  await frame.getByRole('button', { name: 'Try Again' }).click();
  await frame.getByRole('button', { name: 'Try Again' }).waitFor();
  expect(await turns.count()).toBe(6);
  // Settings that are refused take nothing away.
  await frame.getByLabel('Most new tokens').fill('');
  await message.fill('A draft');
  await frame.getByRole('button', { name: 'Try Again' }).click();
  await message.press('Enter');
  expect(await turns.count()).toBe(6);
  expect(await message.inputValue()).toBe('A draft');
  await message.fill('');
  await frame.getByLabel('Most new tokens').fill('12');
  await frame.getByRole('button', { name: 'Remove' }).click();
  expect(await turns.count()).toBe(4);
  expect(await frame.getByRole('button', { name: 'Try Again' }).count()).toBe(0);
  expect(await message.inputValue()).toBe(tooLong);
  await message.press('Enter');
  await frame.getByRole('button', { name: 'Try Again' }).waitFor();
  await message.fill('1+1?');
  await message.press('Enter');
  await expect
    .poll(() =>
      turns
        .last()
        .getByText(/tokens\/s|ended by itself|reached/)
        .count(),
    )
    .toBe(1);
  expect(await turns.count()).toBe(6);

  // Another model has a conversation of its own, and the first one comes back with its model.
  await pickAdapter(frame, 'No adapter');
  await expect.poll(() => turns.count()).toBe(0);
  await message.fill(tooLong);
  await message.press('Enter');
  await frame.getByRole('button', { name: 'Try Again' }).waitFor();
  await pickAdapter(frame, 'my-adapter');
  await expect.poll(() => turns.count()).toBe(6);

  // All of them come back after a reload, with what has no answer, and what is typed.
  await message.fill('A draft');
  await editor.reload();
  frame = await editor.webviewFrame('Playground');
  await expect.poll(() => frame.locator('.turn').count()).toBe(6);
  expect(await frame.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('A draft');
  await pickAdapter(frame, 'No adapter');
  await expect.poll(() => frame.locator('.turn').count()).toBe(2);
  await frame.locator('.failed', { hasText: 'the model reads at most' }).waitFor();
  await frame.getByRole('button', { name: 'Try Again' }).waitFor();
});
