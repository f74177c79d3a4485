import * as z from 'zod/mini';
import type { CacheEntry, EmptiedCache } from '../../engine/weights/cache-entries.ts';
import type { ShownCudaPlan } from '../cli/cuda-report.ts';
import { notification, request } from '../rpc/message.ts';
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

/**
 * Client → server: the folder that is chosen for CUDA (`lorafa.cuda.folder`), or none. It is sent before anything is
 * asked for and whenever it changes.
 */
export const cudaFolderGiven = notification(
  'lorafa/cuda/folder',
  z.object({ folder: z.nullable(z.string()) }),
);

/** Client → server: what setting up CUDA will do; nothing is changed for that. */
export const planCuda = request<ShownCudaPlan>()('lorafa/cuda/plan', nothing);

/**
 * Client → server: set up CUDA and try it. Answered with the folder of its libraries; {@link cudaProgress} tells how far
 * it is. Cancelled like any request (`$/cancelRequest`); what has come whole is kept for the next time.
 */
export const setUpCuda = request<{ readonly folder: string }>()('lorafa/cuda/setup', nothing);

/** Server → client: how far the set-up of CUDA is, for people. */
export const cudaProgress = notification(
  'lorafa/cuda/setup/progress',
  z.object({ text: z.string() }),
);
