import { expect, test } from 'vitest';
import { DEFAULT_GENERATION_OPTIONS } from '../../../engine/generate/generation-options.ts';
import { parseStops, SAMPLING_FIELDS } from '../../../extension/playground/sampling.ts';

test('the form begins with the defaults of the engine', () => {
  const initial = Object.fromEntries(SAMPLING_FIELDS.map(({ name, initial }) => [name, initial]));
  expect({ ...initial, stop: parseStops('') }).toEqual(DEFAULT_GENERATION_OPTIONS);
});

test('stop texts stand one a line and may hold line breaks', () => {
  expect(parseStops('###\n\n\\n\\nUser:\n\\\\n \n')).toEqual(['###', '\n\nUser:', '\\n ']);
});
