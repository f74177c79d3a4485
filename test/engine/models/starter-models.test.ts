import { expect, test } from 'vitest';
import { parseDataPath } from '../../../engine/data/data-path.ts';
import { STARTER_DATA } from '../../../engine/data/starter-data.ts';
import { parseHubName } from '../../../engine/hub/hub-name.ts';
import { STARTER_MODELS, starterStructure } from '../../../engine/models/starter-models.ts';
import { trainingMemory } from '../../../engine/plan/training-memory.ts';

/** Bytes of a header for each of its tensors, and then some. */
const HEADER_BYTES = 150_000;

test.each(STARTER_MODELS)('$name: shapes and size are those of one model', (starter) => {
  expect(parseHubName(starter.name)?.repository).toBe(starter.name);
  const { weights } = starterStructure(starter);
  const bytes = [...weights.tensors.values()].reduce((sum, { length }) => sum + length, 0);
  expect(starter.bytes - bytes).toBeGreaterThan(0);
  expect(starter.bytes - bytes).toBeLessThan(HEADER_BYTES);
});

test('from small to large', () => {
  const sizes = STARTER_MODELS.map(({ bytes }) => bytes);
  expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  const rows = STARTER_DATA.map((data) => data.rows);
  expect(rows).toEqual(rows.toSorted((a, b) => a - b));
});

test('data are named as a configuration names them', () => {
  for (const { name } of STARTER_DATA) {
    expect(parseHubName(name)).toBeDefined();
    expect(parseDataPath(name).file).toBe(name);
  }
});

test('memory is told without asking anybody', async () => {
  const memory = await trainingMemory(starterStructure(STARTER_MODELS[0]!), 2 ** 30);
  expect(memory.stored).toBeGreaterThan(STARTER_MODELS[0]!.bytes);
  expect(memory.nf4).toBeLessThan(memory.stored);
});
