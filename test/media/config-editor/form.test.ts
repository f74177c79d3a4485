import { expect, test } from 'vitest';
import type { FormProblem } from '../../../extension/config-editor/messages.ts';
import { keyAndRest, placeProblems } from '../../../media/config-editor/place-problems.ts';
import { matchesSearch } from '../../../media/config-editor/search.ts';
import {
  isSame,
  readLines,
  readNumber,
  toText,
  valueAt,
} from '../../../media/config-editor/values.ts';
import { configForm } from '../../../server/language/config-form.ts';

const form = configForm();

function problemAt(...path: (string | number)[]): FormProblem {
  return { path, severity: 'error', message: path.join('/'), fixes: [] };
}

test('problems stand at their field, else at their section; what has no place only in the summary', () => {
  const rank = problemAt('lora', 'r');
  const item = problemAt('lora', 'target_modules', 1);
  const row = problemAt('lora', 'rank_pattern', 'down_proj');
  const nested = problemAt('training', 'lr_scheduler_kwargs', 'min_lr');
  const parent = problemAt('training', 'lr_scheduler_kwargs');
  const misspelt = problemAt('lora', 'rr');
  const strange = problemAt('loar');
  const whole = problemAt();
  const placed = placeProblems(form, [
    ...[rank, item, row, nested, parent, misspelt, strange, whole],
  ]);
  expect(Object.fromEntries(placed.at)).toEqual({
    'lora.r': [rank],
    'lora.target_modules': [item],
    'lora.rank_pattern': [row],
    'training.lr_scheduler_kwargs.min_lr': [nested],
    training: [parent],
    lora: [misspelt],
  });
});

test('the summary names the key once, and an item of a list by the list', () => {
  const path = ['lora', 'target_modules', 1];
  expect(keyAndRest(path, '`lora.target_modules` names "x"')).toEqual({
    key: 'lora.target_modules',
    rest: 'names "x"',
  });
  expect(keyAndRest(['lora', 'r'], 'Too large')).toEqual({ key: 'lora.r', rest: 'Too large' });
  expect(keyAndRest([], 'Expected comma')).toEqual({ key: '', rest: 'Expected comma' });
});

test('a search finds names with or without underscores, and words of the help', () => {
  const found = (search: string): string[] =>
    form.sections
      .flatMap(({ fields }) => fields)
      .filter((field) => matchesSearch(field, search))
      .map(({ path }) => path.join('.'));
  expect(found('rank_pattern')).toEqual(['lora.rank_pattern']);
  expect(found('Rank Pattern')).toEqual(['lora.rank_pattern']);
  expect(found('warm-up')).toContain('training.lr_scheduler_type');
  expect(found('xyzzy')).toEqual([]);
});

test('what is typed becomes the value that is meant', () => {
  expect(readNumber(' 1e-4 ')).toBe(0.0001);
  expect(readNumber('')).toBeUndefined();
  expect(readNumber('1e')).toBe('1e');
  expect(readNumber('Infinity')).toBe('Infinity');
  expect(readLines(' q_proj \n\n v_proj\n')).toEqual(['q_proj', 'v_proj']);
});

test('values are found and shown', () => {
  expect(valueAt({ lora: { r: 8 } }, ['lora', 'r'])).toBe(8);
  expect(valueAt({ lora: 5 }, ['lora', 'r'])).toBeUndefined();
  expect(valueAt({ lora: [1] }, ['lora', '0'])).toBeUndefined();
  expect(valueAt({ lora: {} }, ['lora', 'constructor'])).toBeUndefined();
  expect([toText('a'), toText(5), toText(['a']), toText(undefined)]).toEqual([
    'a',
    '5',
    '["a"]',
    '',
  ]);
  expect([isSame([1, 'a'], [1, 'a']), isSame(undefined, undefined), isSame(1, '1')]).toEqual([
    true,
    true,
    false,
  ]);
});
