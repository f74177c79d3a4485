import { ATTENTION_OPS } from '../graph/ops/attention.ts';
import { BFLOAT16_OPS } from '../graph/ops/bfloat16.ts';
import { OWN_DOMAIN } from '../graph/ops/own-domain.ts';
import { SWIGLU_OPS } from '../graph/ops/swiglu.ts';
import { attentionOps } from './attention-kernels.ts';
import type { AttentionThreads } from './attention-threads.ts';
import { bfloat16Ops } from './bfloat16-kernels.ts';
import type { Pointer } from './c-api.ts';
import { customOpDomain } from './custom-ops.ts';
import type { Onednn } from './onednn.ts';
import { SharedPool } from './shared-pool.ts';
import { swigluOps } from './swiglu-kernels.ts';

/** The names that ops of our own have in a graph. */
export const OWN_OPS: ReadonlySet<string> = new Set(
  Object.keys({ ...BFLOAT16_OPS, ...ATTENTION_OPS, ...SWIGLU_OPS }),
);

/** The domain of all ops of our own, computed by oneDNN; see {@link customOpDomain}. */
export function ownDomain(onednn: Onednn, threads: AttentionThreads): Pointer {
  const pool = new SharedPool();
  return customOpDomain(OWN_DOMAIN, [
    ...bfloat16Ops(onednn, pool),
    ...attentionOps(onednn, threads),
    ...swigluOps(onednn, pool),
  ]);
}
