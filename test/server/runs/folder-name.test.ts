import { expect, test } from 'vitest';
import { folderNameProblem } from '../../../server/runs/folder-name.ts';

test.each([
  ['', 'needs a name'],
  ['..', 'begins and ends with neither a dot nor a space'],
  ['.hidden', 'begins and ends with neither'],
  ['end.', 'begins and ends with neither'],
  [' a', 'begins and ends with neither'],
  ['a ', 'begins and ends with neither'],
  ['a/b', 'cannot hold /'],
  ['a\\b', 'cannot hold \\'],
  ['a:b', 'cannot hold :'],
  ['what?', 'cannot hold ?'],
  ['CON', 'a device on Windows'],
  ['lpt1.old', 'a device on Windows'],
  ['a\u202egnp', '"a\\u202egnp" holds characters that nobody sees'],
  ['a\u0007', 'characters that nobody sees'],
  ['a\tb', 'characters that nobody sees'],
  ['x'.repeat(201), 'at most 200 characters'],
])('%j is no name for a folder', (name, problem) => {
  expect(folderNameProblem(name)).toContain(problem);
});

test.each(['Größer – 2', 'console', 'com10', 'v1.5', 'a b', '👩‍👧', 'x'.repeat(200)])(
  '%j is one',
  (name) => {
    expect(folderNameProblem(name)).toBeUndefined();
  },
);
