import { expect, test } from 'vitest';
import { configRows, isDifferent } from '../../../extension/runs/config-differences.ts';

const first = {
  lora: { r: 16, target_modules: ['q_proj', 'v_proj'], rank_pattern: {} },
  training: { learning_rate: 1e-4, seed: 1 },
};
const second = {
  lora: { r: 16, target_modules: ['q_proj'], rank_pattern: { down_proj: 32 } },
  training: { learning_rate: 1e-4, max_steps: 100 },
};

test('configurations are compared key by key, lists as a whole', () => {
  expect(configRows([first, second]).filter(isDifferent)).toEqual([
    { key: 'lora.target_modules', values: ['["q_proj","v_proj"]', '["q_proj"]'] },
    { key: 'training.seed', values: ['1', null] },
    { key: 'lora.rank_pattern.down_proj', values: [null, '32'] },
    { key: 'training.max_steps', values: [null, '100'] },
  ]);
});

test('one configuration is shown whole and differs from nothing', () => {
  const rows = configRows([first]);
  expect(rows.map(({ key }) => key)).toEqual([
    'lora.r',
    'lora.target_modules',
    'training.learning_rate',
    'training.seed',
  ]);
  expect(rows.some(isDifferent)).toBe(false);
});

test('a run without a stored configuration sets no key', () => {
  expect(configRows([null])).toEqual([]);
  expect(configRows([{ a: 1 }, null])).toEqual([{ key: 'a', values: ['1', null] }]);
});
