import { GraphBuilder } from '../graph/builder.ts';
import { writeOnnx } from '../onnx/writer.ts';
import type { Pointer } from './c-api.ts';
import type { Device } from './device.ts';
import { create, environment, ort } from './onnx-runtime.ts';
import { sessionOptions } from './session-options.ts';

/**
 * A session that is never run and stays until the process ends: an allocator of a device comes from a session, and
 * lives as long.
 *
 * @param most bytes that an allocator of a CUDA device may have; as many as there are unless given
 * @throws LorafaError `device.failed`
 */
export function idleSession(device: Device, what: string, most?: number): Pointer {
  const builder = new GraphBuilder();
  const model = writeOnnx(builder.finish({ y: builder.neg(builder.input('x', 'float32', [1])) }));
  const ownArena = most === undefined ? {} : { mostBytes: most };
  const options = sessionOptions({ device, threads: 1, ownArena }, what);
  try {
    return create(
      (out) => ort.CreateSessionFromArray(environment, model, model.byteLength, options, out),
      what,
    );
  } finally {
    ort.ReleaseSessionOptions(options);
  }
}
