import { expect, test, vi } from 'vitest';
import { parseGpus } from '../../../engine/runtime/nvidia-smi.ts';
import { describeGpu, deviceLabel } from '../../../extension/runs/gpu-texts.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const gpus = parseGpus(
  [
    '0, NVIDIA A, 580.1, 24576, 12288, 11800, 97, 63, 312.4',
    '10, NVIDIA B, 580.1, 1024, 0, 1024, [N/A], [N/A], 9',
    '11, NVIDIA C, 580.1, [N/A], [N/A], [N/A], 3, [N/A], [N/A]',
  ].join('\n'),
);

const told = { gpus, isSilent: false };

test('a device is called by what it is', () => {
  expect(deviceLabel('cuda:10', told)).toBe('cuda:10 (NVIDIA B)');
  expect(deviceLabel('cuda:1', told)).toBe('cuda:1');
  expect(deviceLabel('cpu', told)).toBe('cpu');
});

test('what is not known of a GPU is left out', () => {
  expect(describeGpu('cuda:0', told)).toBe('12.0 GiB of 24.0 GiB · 97 % · 63 °C · 312 W');
  expect(describeGpu('cuda:10', told)).toBe('0 KiB of 1.0 GiB · 9 W');
  expect(describeGpu('cuda:11', told)).toBe('3 %');
  expect(describeGpu('cpu', told)).toBeUndefined();
  expect(describeGpu('cuda:0', { gpus: [], isSilent: false })).toBeUndefined();
});

test('a GPU of which nobody tells is the same, and what it does is not known any more', () => {
  const silent = { gpus, isSilent: true };
  expect(deviceLabel('cuda:10', silent)).toBe('cuda:10 (NVIDIA B)');
  expect(describeGpu('cuda:0', silent)).toBe('no answer from nvidia-smi');
  expect(describeGpu('cuda:0', { gpus: [], isSilent: true })).toBe('no answer from nvidia-smi');
  // Others are told of, and this one is lost.
  expect(describeGpu('cuda:1', told)).toBe('no answer from nvidia-smi');
  expect(describeGpu('cpu', silent)).toBeUndefined();
  expect(describeGpu('webgpu', silent)).toBeUndefined();
});
