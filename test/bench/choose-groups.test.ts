import { expect, test } from 'vitest';
import { type Choice, chooseGroups } from './choose-groups.ts';
import { benchGroups } from './rows.ts';

const groups = benchGroups();

function names(choice: Choice): string[] {
  return chooseGroups(groups, choice).flatMap(({ rows }) => rows.map(({ name }) => name));
}

test('every row has a name of its own, and none is that of a group', () => {
  const rows = groups.flatMap((group) => group.rows.map(({ name }) => name));
  const others = groups.filter(({ rows }) => rows.length > 1).map(({ name }) => name);
  expect(new Set([...rows, ...others]).size).toBe(rows.length + others.length);
});

test('rows are chosen by their names, by groups and by patterns', () => {
  expect(names({ only: ['135m-1x512-none'] })).toEqual(['135m-1x512-none']);
  expect(names({ only: ['batch'] })).toEqual(['batch-1', 'batch-2', 'batch-4', 'batch-8']);
  expect(names({ only: ['135m-*-int8', 'rank-8'] })).toEqual(['135m-1x512-int8', 'rank-8']);
  // A point is a point, not any character.
  expect(names({ only: ['1x1b-*'] })).toEqual([]);
});

test('PEFT and the tiny model take part only where they are asked for', () => {
  expect(names({}).filter((name) => /peft|tiny/.test(name))).toEqual([]);
  expect(names({ peft: true })).toContain('135m-1x512-peft-float32');
  expect(names({ only: ['tiny'] })).toEqual(['tiny-none', 'tiny-layer', 'tiny-auto']);
});

test('samples and steps replace the own numbers of groups and rows', () => {
  const [group] = chooseGroups(groups, { only: ['rank-8'], samples: 7, steps: 5 });
  expect(group).toMatchObject({ samples: 7, rows: [{ steps: 5, warmupSteps: 1 }] });
});
