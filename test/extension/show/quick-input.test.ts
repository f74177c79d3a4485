import { beforeEach, expect, test, vi } from 'vitest';
import { askForText, pick, pickSeveral } from '../../../extension/show/quick-input.ts';
import {
  ALL_HOSTILE,
  drawnLabel,
  HOSTILE,
  hasLink,
  hidesSomething,
} from '../../support/hostile-texts.ts';
import { shown, user } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  shown.length = 0;
  user.answer = undefined;
});

const row = { icon: 'file', label: ALL_HOSTILE, description: ALL_HOSTILE, detail: ALL_HOSTILE };

test.each([
  ['one', () => pick([row], { title: ALL_HOSTILE, placeHolder: ALL_HOSTILE })],
  ['one that is awaited', () => pick(Promise.resolve([row]), { title: ALL_HOSTILE })],
  ['several', () => pickSeveral([row], { title: ALL_HOSTILE })],
])('of rows to choose (%s) only our own icon is one', async (_name, ask) => {
  await ask();
  const [items, options] = shown[0]!.args as [Record<string, string>[], Record<string, string>];
  const { label, description, detail } = items[0]!;
  expect(drawnLabel(label!)).toMatch(/^⟦file⟧ [^⟦]*$/);
  expect(drawnLabel(label!)).toContain(HOSTILE.icon);
  for (const text of [description, detail]) expect(drawnLabel(text!)).not.toContain('⟦');
  for (const text of [label, description, detail, options['title'], options['placeHolder'] ?? '']) {
    expect(hidesSomething(text!)).toBe(false);
    expect(text!.length).toBeLessThan(300);
  }
});

test('what was chosen is the row, as it was given', async () => {
  user.answer = { row };
  expect(await pick([row], {})).toBe(row);
  user.answer = [{ row }];
  expect(await pickSeveral([row], {})).toEqual([row]);
});

test('a question and what is wrong with its answer have neither links nor icons', async () => {
  const problemOf = (text: string): string | undefined => (text === '' ? undefined : `no: ${text}`);
  await askForText({ title: ALL_HOSTILE, prompt: ALL_HOSTILE, value: 'x', problemOf });
  const [box] = shown[0]!.args as [
    { prompt: string; validateInput: (text: string) => string | undefined },
  ];
  expect(box.validateInput('')).toBeUndefined();
  for (const text of [box.prompt, box.validateInput(ALL_HOSTILE)!]) {
    expect(hasLink(text)).toBe(false);
    expect(hidesSomething(text)).toBe(false);
    expect(drawnLabel(text)).not.toContain('⟦');
  }
});
