import { describe, expect, test } from 'vitest';
import { CPU, formatDevice, parseDevice } from '../../../engine/runtime/device.ts';

describe('names of devices', () => {
  test.each([
    ['cpu', CPU],
    ['webgpu', { kind: 'webgpu', index: 0 }],
    ['cuda', { kind: 'cuda', index: 0 }],
    ['cuda:3', { kind: 'cuda', index: 3 }],
  ])('%s', (name, device) => {
    expect(parseDevice(name)).toEqual(device);
    expect(parseDevice(formatDevice(parseDevice(name)))).toEqual(device);
  });

  test.each(['', 'gpu', 'cuda:', 'cuda:x', 'CPU'])('"%s" is none', (name) => {
    expect(() => parseDevice(name)).toThrow(`The device "${name}" is not known`);
  });
});
