import { expect, test } from 'vitest';
import { causeOf, meaningOf } from '../../../engine/runtime/runtime-words.ts';

test.each([
  [
    '/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:1695 [ONNXRuntimeError] : 1 : FAIL : Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.12: cannot open shared object file: No such file or directory',
    'the library libcublasLt.so.12 is missing',
  ],
  [
    'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
    'one of its libraries is missing',
  ],
  [
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 adapter_result.status was false. Failed to get a WebGPU adapter: No supported adapters',
    'no GPU with such a driver was found',
  ],
  ['std::bad_alloc', 'there is not enough memory'],
  [
    'Failed to load library libonnxruntime_providers_cuda.so with error: libcuda.so.1: cannot open shared object file: No such file or directory',
    "libcuda.so.1, which is a part of NVIDIA's driver, is missing",
  ],
  [
    'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=0 ; hostname=x ;',
    "NVIDIA's driver is too old for CUDA 13",
  ],
  ['CUDA failure 100: no CUDA-capable device is detected ; GPU=-1', 'no NVIDIA GPU was found'],
  [
    'CUDA failure 46: CUDA-capable device(s) is/are busy or unavailable ; GPU=0',
    'another program has the GPU for itself',
  ],
  [
    '/x/libcublas.so.13: undefined symbol: cublasLtHeuristic, version libcublasLt.so.13',
    'its libraries are of versions that do not fit together (undefined symbol: cublasLtHeuristic)',
  ],
  [
    'cuda_execution_provider_info.cc:70 operator() Invalid device ID: 3, must be between 0 (inclusive) and 1 (exclusive).',
    'there is no NVIDIA GPU of this number',
  ],
  ['ended by SIGBUS', 'one of its libraries ended the process that tried it (SIGBUS)'],
  ['cuda:0 computes wrongly: a result was off by 3', 'it computes wrongly: a result was off by 3'],
  ['/onnxruntime_src/something/else.cc:12', undefined],
])('%s', (words, meaning) => {
  expect(meaningOf(words)).toBe(meaning);
});

test('what can be fetched has another way out than the driver', () => {
  const missing = (library: string): string =>
    `${library}: cannot open shared object file: No such file or directory`;
  expect(causeOf(missing('libcublas.so.13'))?.wayOut).toContain('lorafa cuda setup');
  expect(causeOf(missing('libcuda.so.1'))?.wayOut).toContain('580');
  // Other libraries may be anybody's.
  expect(causeOf(missing('libvulkan.so.1'))).toEqual({
    means: 'the library libvulkan.so.1 is missing',
  });
});
