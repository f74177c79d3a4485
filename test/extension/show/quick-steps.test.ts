import { beforeEach, expect, test, vi } from 'vitest';
import { BACK, pickStep, textStep } from '../../../extension/show/quick-steps.ts';
import { ALL_HOSTILE, drawnLabel, hasLink, hidesSomething } from '../../support/hostile-texts.ts';
import { type Input, shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  shown.length = 0;
});

const row = { icon: 'file', label: ALL_HOSTILE, description: ALL_HOSTILE, detail: ALL_HOSTILE };
const second = { step: 2, steps: 4 };

/** The input that is shown. */
function input(): Input {
  return shown[0]!.args[0] as Input;
}

test('rows and headings of a step are text; what was chosen is the row as it was given', async () => {
  const rows = Promise.resolve([{ heading: ALL_HOSTILE }, row]);
  const picked = pickStep(second, { title: ALL_HOSTILE, placeHolder: ALL_HOSTILE, rows });
  await vi.waitUntil(() => input().items.length === 2);
  const { title, placeholder, items, step, totalSteps, buttons } = input();
  const [heading, item] = items as readonly Record<string, string>[];
  expect([step, totalSteps, buttons]).toEqual([2, 4, ['back']]);
  expect(drawnLabel(item!['label']!)).toMatch(/^⟦file⟧ [^⟦]*$/);
  for (const text of [item!['description']!, item!['detail']!]) {
    expect(drawnLabel(text)).not.toContain('⟦');
  }
  for (const text of [title, placeholder, heading!['label']!, item!['label']!]) {
    expect(hidesSomething(text)).toBe(false);
    expect(text.length).toBeLessThan(300);
  }
  input().accept();
  input().selectedItems = [item];
  input().accept();
  expect(await picked).toBe(row);
});

test('one goes back, or closes the question while its rows are awaited', async () => {
  const never = new Promise<never>(() => undefined);
  const question = { title: 'a', placeHolder: 'b', rows: never };
  const back = pickStep(second, question);
  input().trigger();
  expect(await back).toBe(BACK);
  shown.length = 0;
  const closed = pickStep({ step: 1, steps: 4 }, question);
  expect(input().buttons).toEqual([]);
  input().hide();
  expect(await closed).toBeUndefined();
  await expect(
    pickStep(second, { ...question, rows: Promise.reject(new Error('no')) }),
  ).rejects.toThrow('no');
});

test('a text is taken when nothing is wrong with it', async () => {
  const problemOf = (text: string): string | undefined =>
    text === 'good' ? undefined : `no: ${text}`;
  const answer = textStep(second, { title: 'a', prompt: ALL_HOSTILE, value: 'x', problemOf });
  input().type(ALL_HOSTILE);
  for (const text of [input().prompt, input().validationMessage!]) {
    expect(hasLink(text)).toBe(false);
    expect(hidesSomething(text)).toBe(false);
    expect(drawnLabel(text)).not.toContain('⟦');
  }
  input().accept();
  input().type('good');
  expect(input().validationMessage).toBeUndefined();
  input().accept();
  expect(await answer).toBe('good');
});
