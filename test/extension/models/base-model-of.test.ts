import { expect, test } from 'vitest';
import { baseModelOf } from '../../../extension/models/base-model-of.ts';
import type { FoundModel } from '../../../server/protocol.ts';

const model = (path: string, name: string): FoundModel => ({
  path,
  name,
  origin: 'workspace',
  bytes: 1,
  contextLength: null,
  problem: null,
});
const models = [
  model('/cache/snapshots/abc', 'org/small'),
  model('/work/models/tiny', 'tiny'),
  model('/work/models/weights.gguf', 'weights.gguf'),
];

test.each([
  ['its path', '/work/models/tiny', '/work/models/tiny'],
  ['a path from its own folder', '../models/weights.gguf', '/work/models/weights.gguf'],
  ['a name of the Hugging Face Hub', 'org/small', '/cache/snapshots/abc'],
  ['a path on another machine', 'C:\\models\\tiny', '/work/models/tiny'],
  ['a path where nobody looks for models', '/elsewhere/model', '/elsewhere/model'],
  ['a name that is not on this machine', 'org/large', undefined],
  ['nothing', null, undefined],
])('an adapter names its base model by %s', (_, baseModel, expected) => {
  expect(baseModelOf({ path: '/work/adapter', baseModel }, models)).toBe(expected);
});
