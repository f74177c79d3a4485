import type { ResolvedConfig } from '../config/schema.ts';
import { CPU, type Device } from '../runtime/device.ts';

/** What rows are padded to a multiple of, where a configuration leaves it open. */
const TOKENS = 64;

/** Lengths that batches have at most where each of them is captured, if a configuration leaves it open. */
const LENGTHS_TO_CAPTURE = 4;

/**
 * What a run's rows are padded to a multiple of. A CUDA device computes each shape of a batch as a graph of its
 * own that has to be captured first; and where a step is some thousand launches, a little more padding costs less
 * than they do. So few lengths occur there, unless the configuration says otherwise.
 */
export function paddingMultiple(
  { pad_to_multiple_of: given, max_length }: ResolvedConfig['data'],
  device: Device = CPU,
): number {
  if (given !== undefined) return given;
  if (device.kind !== 'cuda') return TOKENS;
  return Math.max(TOKENS, Math.ceil(max_length / LENGTHS_TO_CAPTURE));
}

/**
 * A configuration that says what rows are padded to.
 *
 * @param decided what an earlier part of the run decided, on whatever device
 */
export function withPadding<T extends Pick<ResolvedConfig, 'data'>>(
  config: T,
  device: Device,
  decided?: unknown,
): T {
  const { data } = config;
  const multiple =
    typeof decided === 'number' && data.pad_to_multiple_of === undefined
      ? decided
      : paddingMultiple(data, device);
  return { ...config, data: { ...data, pad_to_multiple_of: multiple } };
}
