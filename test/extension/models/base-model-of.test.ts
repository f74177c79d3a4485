import { expect, test } from 'vitest';
import { baseModelOf } from '../../../extension/models/base-model-of.ts';
import type { FoundModel } from '../../../server/protocol/models.ts';

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
  model('/home/me/models/tiny', 'tiny'),
  model('/home/me/models/weights.gguf', 'weights.gguf'),
];

test.each([
  ['its path', '/home/me/models/tiny', '/home/me/models/tiny'],
  ['a path from its own folder', '../models/weights.gguf', '/home/me/models/weights.gguf'],
  ['a name of the Hugging Face Hub', 'org/small', '/cache/snapshots/abc'],
  ['a path on another machine', 'C:\\models\\tiny', '/home/me/models/tiny'],
  ['a path where nobody looks for models', '/elsewhere/model', '/elsewhere/model'],
  ['a name that is not on this machine', 'org/large', undefined],
  ['nothing', null, undefined],
])('an adapter names its base model by %s', (_, baseModel, expected) => {
  expect(baseModelOf({ path: '/home/me/adapter', baseModel }, models)).toBe(expected);
});
