import { LorafaError, wordsOf } from '../errors.ts';

/**
 * What ONNX Runtime says where it captures no runs of a session, and CUDA where it does not capture a stream, with
 * `cudaErrorStreamCaptureUnsupported` to `cudaErrorStreamCaptureWrongThread` (900 to 908).
 */
const REFUSALS: readonly RegExp[] = [
  /cannot use the graph capture feature/,
  /not compatible with requested CUDA Graph Capture/,
  /Graph capture did not complete/,
  /CUDA failure 90[0-8]\b/,
];

/** Whether an error says that runs cannot be captured; any other is one that they would have anyway. */
export function isCaptureRefusal(error: unknown): boolean {
  return (
    error instanceof LorafaError &&
    error.code === 'device.failed' &&
    REFUSALS.some((refusal) => refusal.test(wordsOf(error)))
  );
}
