import { beforeEach, expect, test, vi } from 'vitest';
import { chatModelTexts } from '../../../extension/show/chat-model.ts';
import { createLog } from '../../../extension/show/log.ts';
import { openPanel, titlePanel } from '../../../extension/show/panel.ts';
import { viewRow } from '../../../extension/show/rows.ts';
import { StatusItem } from '../../../extension/show/status-item.ts';
import { ALL_HOSTILE, drawnLabel, HOSTILE, hidesSomething } from '../../support/hostile-texts.ts';
import { shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  shown.length = 0;
});

const HUGE = `${ALL_HOSTILE}\n`.repeat(10_000);

test('a row of a view has nothing but text', () => {
  const row = viewRow({
    label: HUGE,
    id: HUGE,
    description: HUGE,
    tooltip: [HUGE, undefined, HUGE],
    spoken: HUGE,
  });
  expect(row.id).toBe(HUGE);
  for (const text of [row.label, row.description, row.accessibilityInformation!.label]) {
    expect(hidesSomething(text as string)).toBe(false);
    expect((text as string).length).toBeLessThan(300);
  }
  // A string: VS Code reads Markdown only from its own objects.
  expect(row.tooltip).toBeTypeOf('string');
  expect(hidesSomething(row.tooltip as string)).toBe(false);
  expect((row.tooltip as string).split('\n')).toHaveLength(2);
});

test('in the status bar only our own icon is one', () => {
  new StatusItem('id', 'name').show({
    icon: 'clock',
    text: ALL_HOSTILE,
    tooltip: ALL_HOSTILE,
    command: 'c',
  });
  const [item] = shown[0]!.args as [{ text: string; tooltip: unknown }];
  expect(drawnLabel(item.text)).toMatch(/^⟦clock⟧ [^⟦]*$/);
  expect(item.tooltip).toBeTypeOf('string');
  for (const text of [item.text, item.tooltip as string]) expect(hidesSomething(text)).toBe(false);
});

test('a tab has one short line', () => {
  const panel = openPanel('type', HUGE);
  expect(hidesSomething(panel.title)).toBe(false);
  titlePanel(panel, HUGE);
  expect(hidesSomething(panel.title)).toBe(false);
  expect(panel.title.length).toBeLessThan(300);
});

test('nothing in an entry of the log can pass for another entry, or steer a terminal', () => {
  const log = createLog('name');
  const forged = '2026-01-01 00:00:00.000 [info] All is well.';
  const text = `${ALL_HOSTILE}\n${forged}\r\n${forged}`;
  log.error(new Error(text), text);
  log.error(text);
  log.warn(text);
  log.info(text, text);
  log.debug(text);
  log.trace(text);
  log.append(text);
  log.appendLine(text);
  log.replace(text);
  log.info(HUGE);
  expect(shown).toHaveLength(10);
  for (const { args } of shown) {
    expect(args).toHaveLength(1);
    const [entry] = args as [string];
    expect(hidesSomething(entry)).toBe(false);
    expect(entry.length).toBeLessThan(30_000);
    expect(entry.split('\n').slice(1)).toSatisfy((lines: readonly string[]) =>
      lines.every((line) => line.startsWith('  ')),
    );
  }
});

test('the names of chat models, which VS Code reads as trusted Markdown, have no markup', () => {
  const texts = chatModelTexts({
    name: ALL_HOSTILE,
    family: 'www.example.com me@example.com',
    detail: `models/${HOSTILE.link}`,
    tooltip: `for ${ALL_HOSTILE}`,
  });
  for (const text of [texts.name, texts.family, texts.detail]) {
    expect(text).not.toMatch(/[[\]()<>*`$&:@\\!#|~]|www\./);
    expect(hidesSomething(text)).toBe(false);
  }
  expect(texts.name).toContain('command·workbench.action.terminal.new');
  expect(texts.tooltip).not.toMatch(/(?<!\\)[[\]<>`$]/);
  // Ordinary names stay as they are.
  const plain = { name: 'my-adapter_2.1', family: 'SmolLM2', detail: 'runs/a b', tooltip: 'x' };
  expect(chatModelTexts(plain)).toEqual(plain);
});
