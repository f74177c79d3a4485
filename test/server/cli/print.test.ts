import { expect, test } from 'vitest';
import { printJson, printPiece, printText } from '../../../server/cli/print.ts';
import { jsonReport, textReport } from '../../../server/cli/train-report.ts';
import { ALL_HOSTILE, hidesSomething } from '../../support/hostile-texts.ts';

function printed(print: (target: { write(text: string): void; isTTY?: boolean }) => void): string {
  let output = '';
  print({
    write: (text) => {
      output += text;
    },
  });
  return output;
}

test('text for people and JSON steer no terminal', () => {
  const text = printed((target) => printText(target, `first: ${ALL_HOSTILE}\nsecond`));
  expect(hidesSomething(text)).toBe(false);
  expect(text.split('\n')).toHaveLength(3);
  const json = printed((target) => printJson(target, { message: ALL_HOSTILE }));
  expect(hidesSomething(json)).toBe(false);
  expect(JSON.parse(json)).toEqual({ message: ALL_HOSTILE });
});

test('what a model writes is plain in a terminal, and itself in a file', () => {
  const inTerminal = printed((target) => printPiece({ ...target, isTTY: true }, ALL_HOSTILE));
  expect(hidesSomething(inTerminal)).toBe(false);
  expect(printed((target) => printPiece(target, ALL_HOSTILE))).toBe(ALL_HOSTILE);
});

test.each([80, undefined])('a report of %s columns quotes files as plain text', (columns) => {
  let output = '';
  const report = textReport({
    write: (text) => {
      output += text;
    },
    columns,
    now: () => 0,
  });
  report({ type: 'warning', message: ALL_HOSTILE });
  report({ type: 'sample', step: 1, prompt: ALL_HOSTILE, text: ALL_HOSTILE });
  report({ type: 'checkpoint', step: 1, dir: ALL_HOSTILE });
  // A terminal's line is erased by the report itself.
  expect(hidesSomething(output.replaceAll('\r\u001B[K', ''))).toBe(false);
  expect(output).toContain('\\u202egpj.exe');
});

test('events are the same values to a program', () => {
  let output = '';
  jsonReport((text) => {
    output += text;
  })({ type: 'warning', message: ALL_HOSTILE });
  expect(hidesSomething(output)).toBe(false);
  expect(JSON.parse(output)).toEqual({ type: 'warning', message: ALL_HOSTILE });
});
