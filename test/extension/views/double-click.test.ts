import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import * as vscode from 'vscode';
import { onDoubleClick } from '../../../extension/views/double-click.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** What was opened by clicks on rows, each so many milliseconds after the one before. */
function opened(...clicks: readonly (readonly [key: string, after: number])[]): readonly string[] {
  const keys: string[] = [];
  const click = onDoubleClick((key: string) => keys.push(key));
  for (const [key, after] of clicks) {
    vi.advanceTimersByTime(after);
    click(key);
  }
  return keys;
}

test('one click opens nothing, a second one on the same row does, once', () => {
  expect(opened(['a', 0])).toEqual([]);
  expect(opened(['a', 0], ['a', 200])).toEqual(['a']);
  expect(opened(['a', 0], ['a', 200], ['a', 200])).toEqual(['a']);
});

test('clicks on two rows, or with time between, are single ones', () => {
  expect(opened(['a', 0], ['b', 200], ['a', 200])).toEqual([]);
  expect(opened(['a', 0], ['a', 800])).toEqual([]);
});

test('where lists open by double clicks VS Code tells of these alone', () => {
  const settings = { get: () => 'doubleClick' };
  vi.spyOn(vscode.workspace, 'getConfiguration').mockReturnValue(settings as never);
  expect(opened(['a', 0])).toEqual(['a']);
});
