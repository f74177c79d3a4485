import { expect, test } from 'vitest';
import { LorafaError } from '../../../engine/errors.ts';
import { describeOtherEnvironment, requireSameIdentity } from '../../../engine/train/identity.ts';

test('names that every object has are settings like any other', () => {
  const stored = JSON.parse('{"toString": 1, "__proto__": {"a": 1}, "lora.r": 8}') as {
    'lora.r': number;
  };
  expect(() => requireSameIdentity('checkpoint-1', stored, stored)).not.toThrow();
  expect(() => requireSameIdentity('checkpoint-1', stored, { 'lora.r': 8 })).toThrow(LorafaError);
  expect(describeOtherEnvironment(stored, { 'lora.r': 8 })).toMatch(
    /toString was 1 and is now not set/,
  );
});
