import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StateKeeper } from '../../../media/playground/state-keeper.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A field in which somebody types, and what was kept of it. */
function field() {
  const kept: string[] = [];
  let text = '';
  const keeper = new StateKeeper(() => kept.push(text));
  const type = (keys: string): void => {
    for (const key of keys) {
      text += key;
      keeper.keepTyped();
    }
  };
  return { keeper, kept, type };
}

test('not every key is kept by itself, but none is lost', () => {
  const { kept, type } = field();
  type('a message');
  expect(kept).toEqual(['a']);
  vi.advanceTimersByTime(1000);
  expect(kept).toEqual(['a', 'a message']);
  vi.advanceTimersByTime(60_000);
  expect(kept).toHaveLength(2);
});

test('who leaves the field or the page has all of it kept, and once', () => {
  const { keeper, kept, type } = field();
  type('ab');
  keeper.settle();
  keeper.settle();
  expect(kept).toEqual(['a', 'ab']);
  vi.advanceTimersByTime(60_000);
  expect(kept).toHaveLength(2);
});

test('what changes otherwise is kept at once, with what was typed', () => {
  const { keeper, kept, type } = field();
  type('ab');
  keeper.keep();
  expect(kept).toEqual(['a', 'ab']);
  keeper.keep();
  expect(kept).toHaveLength(3);
  vi.advanceTimersByTime(60_000);
  expect(kept).toHaveLength(3);
});
