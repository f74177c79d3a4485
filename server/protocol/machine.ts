import type { CacheEntry, EmptiedCache } from '../../engine/weights/cache-entries.ts';
import { request } from '../rpc/message.ts';
import { nothing } from './fields.ts';

/** Client → server: weights that were unpacked or quantized, those that were used longest ago first. */
export const listWeightCache = request<readonly CacheEntry[]>()('lorafa/cache/list', nothing);

/** Client → server: remove those of them that no process uses. */
export const emptyWeightCache = request<EmptiedCache>()('lorafa/cache/empty', nothing);

/** Client → server: what this machine can do; what `lorafa doctor --json` prints. */
export const examineMachine = request<Readonly<Record<string, unknown>>>()(
  'lorafa/doctor',
  nothing,
);
