import { describe, expect, test } from 'vitest';
import { nearestName } from '../../../engine/config/nearest-name.ts';

const KEYS = ['learning_rate', 'max_length', 'per_device_train_batch_size', 'seed', 'eval_steps'];

describe('the name that was most likely meant', () => {
  test.each([
    ['learning_rat', 'learning_rate'],
    ['learningRate', 'learning_rate'],
    ['sede', 'seed'],
    ['max_len', 'max_length'],
    ['batch_size', 'per_device_train_batch_size'],
  ])('%s is %s', (name, expected) => {
    expect(nearestName(name, KEYS)).toBe(expected);
  });

  test.each(['quantum', 'x', '', 'a'.repeat(10_000)])('%.10s is near to none', (name) => {
    expect(nearestName(name, KEYS)).toBeUndefined();
  });

  test('a part of two candidates decides for neither', () => {
    expect(nearestName('batch_size', ['train_batch_size_x', 'eval_batch_size_xx'])).toBeUndefined();
  });
});
