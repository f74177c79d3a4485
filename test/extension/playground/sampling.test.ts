import { expect, test } from 'vitest';
import { DEFAULT_GENERATION_OPTIONS } from '../../../engine/generate/generation-options.ts';
import {
  changedSampling,
  formatStops,
  parseStops,
  SAMPLING_FIELDS,
} from '../../../extension/playground/sampling.ts';

test('the form begins with the defaults of the engine', () => {
  const initial = Object.fromEntries(SAMPLING_FIELDS.map(({ name, initial }) => [name, initial]));
  expect({ ...initial, stop: parseStops('') }).toEqual(DEFAULT_GENERATION_OPTIONS);
});

test('stop texts stand one a line and may hold line breaks', () => {
  expect(parseStops('###\n\n\\n\\nUser:\n\\\\n \n')).toEqual(['###', '\n\nUser:', '\\n ']);
});

test('stop texts are shown as one types them', () => {
  const stops = ['###', '\n\nUser:', '\\n ', '\t\\'];
  expect(formatStops(stops)).toBe('###\n\\n\\nUser:\n\\\\n \n\\t\\\\');
  expect(parseStops(formatStops(stops))).toEqual(stops);
});

test('of how something was drawn the part is told that is not as at first', () => {
  expect(changedSampling(DEFAULT_GENERATION_OPTIONS)).toEqual([]);
  expect(
    changedSampling({ ...DEFAULT_GENERATION_OPTIONS, temperature: 0.7, seed: 3, stop: ['\n'] }),
  ).toEqual(['temperature 0.7', 'seed 3', 'stop "\\n"']);
});
