import type { AttentionPart, Rotary } from '../decoder-config.ts';
import type { LayerSizes } from '../parts.ts';
import { attention, rmsNorm } from '../parts.ts';

/** Qwen 3's attention: the heads of queries and keys have norms of their own. */
export function qwen3Attention(
  name: string,
  sizes: LayerSizes,
  {
    attention_bias: bias,
    rms_norm_eps: epsilon,
  }: { attention_bias: boolean; rms_norm_eps: number },
  seen: { readonly rotary: Rotary | null; readonly slidingWindow: number | null },
): AttentionPart {
  const headNorm = (of: string) => rmsNorm(`${name}.${of}`, sizes.headDim, epsilon);
  return attention(name, sizes, {
    ...seen,
    bias,
    outputBias: bias,
    queryNorm: headNorm('q_norm'),
    keyNorm: headNorm('k_norm'),
  });
}
