import { z } from 'zod';
import type { CommonKeys } from '../config-keys.ts';
import { index } from '../config-limits.ts';
import type { ConfigReader } from '../config-reader.ts';

export const QWEN_WINDOW_KEYS = {
  use_sliding_window: z.boolean(),
  max_window_layers: index('layers'),
};

export const QWEN_WINDOW_DEFAULTS = {
  use_sliding_window: false,
  sliding_window: 4096,
  max_window_layers: 28,
};

type WindowKeys = Pick<CommonKeys, 'sliding_window'> &
  z.infer<z.ZodObject<typeof QWEN_WINDOW_KEYS>>;

/** The window of each layer of a Qwen: those from `max_window_layers` on slide, if any does. */
export function qwenWindows(keys: WindowKeys, reader: ConfigReader): (number | null)[] {
  const window = keys.use_sliding_window ? (keys.sliding_window ?? null) : null;
  return reader.windows(window, (layer) =>
    window !== null && layer >= keys.max_window_layers ? 'sliding_attention' : 'full_attention',
  );
}
