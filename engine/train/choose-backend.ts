import type { ResolvedConfig } from '../config/schema.ts';
import { chooseAccelerate } from './accelerate-backend.ts';
import { chooseOnnxRuntime } from './onnx-runtime-backend.ts';
import type { BackendChoice, BackendQuestion } from './training-backend.ts';

/** What computes a run, by `engine.backend`. */
const BACKENDS: {
  readonly [K in ResolvedConfig['engine']['backend']]: (
    config: ResolvedConfig,
    question: BackendQuestion,
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
  question: BackendQuestion,
): Promise<BackendChoice> {
  return BACKENDS[config.engine.backend](config, question);
}
