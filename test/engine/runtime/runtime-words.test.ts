import { expect, test } from 'vitest';
import { meaningOf } from '../../../engine/runtime/runtime-words.ts';

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
  ['cuda:0 computes wrongly: a result was off by 3', 'it computes wrongly: a result was off by 3'],
  ['/onnxruntime_src/something/else.cc:12', undefined],
])('%s', (words, meaning) => {
  expect(meaningOf(words)).toBe(meaning);
});
