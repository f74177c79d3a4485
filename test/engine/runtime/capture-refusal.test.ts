import { expect, test } from 'vitest';
import { LorafaError } from '../../../engine/errors.ts';
import { isCaptureRefusal } from '../../../engine/runtime/capture-refusal.ts';

function failed(detail: string): LorafaError {
  return new LorafaError('device.failed', 'ONNX Runtime could not go on.', { detail });
}

test.each([
  'This session cannot use the graph capture feature as requested by the user as all compute graph nodes have not been partitioned to the CUDAExecutionProvider',
  'CUDA failure 900: operation not permitted when stream is capturing ; GPU=0',
  'CUDA failure 901: operation failed due to a previous error during capture ; GPU=0',
])('a refusal: %s', (words) => {
  expect(isCaptureRefusal(failed(words))).toBe(true);
});

test.each([
  failed('CUDA failure 2: out of memory ; GPU=0'),
  failed('CUDA failure 700: an illegal memory access was encountered ; GPU=0'),
  failed('CUDA failure 9001: whatever'),
  new LorafaError('internal.graph', 'x cannot use the graph capture feature'),
  new TypeError('CUDA failure 900'),
])('any other error: %s', (error) => {
  expect(isCaptureRefusal(error)).toBe(false);
});
