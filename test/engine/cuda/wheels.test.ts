import { expect, test } from 'vitest';
import { CUDA_FILES } from '../../../engine/cuda/plan-cuda.ts';
import { WHEELS, WHEELS_FOR } from '../../../engine/cuda/wheels.ts';
import { bundledLibrary } from '../../../engine/runtime/library.ts';

test('wheels are those of the ONNX Runtime that is here', () => {
  expect(bundledLibrary().version).toBe(WHEELS_FOR);
});

test('every library that CUDA needs is in one wheel', () => {
  const libraries = WHEELS.flatMap((wheel): readonly string[] => wheel.libraries);
  expect(libraries.toSorted()).toEqual(CUDA_FILES.toSorted());
});
