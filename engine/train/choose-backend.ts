import type { ResolvedConfig } from '../config/schema.ts';
import { chooseAccelerate } from './accelerate-backend.ts';
import type { ProgressEvent } from './events.ts';
import { chooseOnnxRuntime } from './onnx-runtime-backend.ts';
import type { BackendChoice } from './training-backend.ts';

/** What computes a run, by `engine.backend`. */
const BACKENDS: {
  readonly [K in ResolvedConfig['engine']['backend']]: (
    config: ResolvedConfig,
    onEvent: (event: ProgressEvent) => void,
  ) => Promise<BackendChoice>;
} = {
  onnxruntime: chooseOnnxRuntime,
  accelerate: chooseAccelerate,
};

/**
 * Makes sure that what a configuration computes with is there.
 *
 * @throws LorafaError `device.unavailable`, and of Accelerate as `Ranks.start`
 */
export function chooseBackend(
  config: ResolvedConfig,
  onEvent: (event: ProgressEvent) => void,
): Promise<BackendChoice> {
  return BACKENDS[config.engine.backend](config, onEvent);
}
