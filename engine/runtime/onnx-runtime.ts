import { isMainThread } from 'node:worker_threads';
import { LorafaError } from '../errors.ts';

/*
 * The only place that loads ONNX Runtime. Its official builds report to their maker unless told not
 * to: they keep a device id and a store of events in the user's cache folder and send them over
 * HTTPS (https://github.com/microsoft/onnxruntime/blob/v1.30.0/docs/Privacy.md). The variable must be
 * set before the library is there, so the import is a dynamic one: a static one would come first.
 * What the variable was before does not matter, since nobody's data leaves the machine.
 */

// A thread has a copy of the environment, which native code does not see.
if (!isMainThread) {
  throw new LorafaError('internal.unexpected', 'ONNX Runtime was loaded outside the main thread.');
}
process.env['ORT_DISABLE_TELEMETRY'] = '1';

/** ONNX Runtime, which sends nothing anywhere. */
export const ort = await import('onnxruntime-node');
