import { beforeEach, expect, test, vi } from 'vitest';
import {
  confirm,
  showError,
  showInformation,
  showProgress,
  showWarning,
} from '../../../extension/show/notifications.ts';
import { ALL_HOSTILE, HOSTILE, hasLink, hidesSomething } from '../../support/hostile-texts.ts';
import { shown, user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  shown.length = 0;
  user.answer = undefined;
});

/** Every string that VS Code was given. */
function texts(): readonly string[] {
  const found: string[] = [];
  JSON.stringify(
    shown.map(({ args }) => args),
    (_key, value: unknown) => {
      if (typeof value === 'string') found.push(value);
      return value;
    },
  );
  return found;
}

test('a link in what a message quotes is text, wherever it is shown', async () => {
  // As VS Code looks for links, this text has one.
  expect(hasLink(`cannot read ${HOSTILE.link}`)).toBe(true);
  const message = `cannot read ${ALL_HOSTILE}, nor [[a](b)](command:c)`;
  await Promise.all([showError(message), showWarning(message), showInformation(message)]);
  await confirm(message, 'Yes', message);
  await showProgress({ title: message }, async ({ report }) => report(message));
  expect(shown.map(({ to }) => to)).toEqual([
    ...['error', 'warning', 'information', 'warning', 'progress', 'report'],
  ]);
  for (const text of texts()) {
    expect(hasLink(text)).toBe(false);
    expect(hidesSomething(text)).toBe(false);
  }
  expect(texts()).toContainEqual(expect.stringContaining('[click] (command:workbench.action.'));
});

test('a message is short, and keeps its end, where the way out stands', async () => {
  await showError(`"${'x'.repeat(1e6)}" is no number; write a number.`);
  const [message] = texts();
  expect(message!.length).toBeLessThan(1000);
  expect(message).toMatch(/is no number; write a number\.$/);
});

test('the chosen button does what it says', async () => {
  const run = vi.fn();
  const choice = { title: 'Do it', run };
  await showError('A message.', choice);
  expect(run).not.toHaveBeenCalled();
  user.answer = choice;
  await showError('A message.', choice);
  expect(run).toHaveBeenCalledOnce();
});

test('only the named action confirms', async () => {
  expect(await confirm('Sure?', 'Discard')).toBe(false);
  user.answer = 'Discard';
  expect(await confirm('Sure?', 'Discard')).toBe(true);
});

test('a question that stands on the screen is not asked again', async () => {
  user.answer = 'Delete';
  const twice = [confirm('Delete a?', 'Delete'), confirm('Delete a?', 'Delete')];
  expect(await Promise.all([...twice, confirm('Delete b?', 'Delete')])).toEqual([
    true,
    false,
    true,
  ]);
  expect(shown.map(({ args }) => args[0])).toEqual(['Delete a?', 'Delete b?']);
  expect(await confirm('Delete a?', 'Delete')).toBe(true);
});
