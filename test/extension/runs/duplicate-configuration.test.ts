import { expect, test, vi } from 'vitest';
import { numbered, withOutput } from '../../../extension/runs/duplicate-configuration.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

test.each([
  ['first', 'first-2'],
  ['first-7', 'first-2'],
  ['runs/first/', 'runs/first-2'],
  ['2024-06', '2024-2'],
])('the second of %s is %s', (name, expected) => {
  expect(numbered(name, 2)).toBe(expected);
});

test('a copy writes elsewhere, and is otherwise the same', () => {
  const text = '{\n  // why\n  "training": { "output_dir": "runs/a", "max_steps": 3 },\n}\n';
  expect(withOutput(text, 'runs/a-2')).toBe(text.replace('runs/a', 'runs/a-2'));
  expect(withOutput(text, undefined)).toBe(text);
});
