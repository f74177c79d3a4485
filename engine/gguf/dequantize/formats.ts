import type { BlockFormat } from './block-format.ts';
import { IQ4_NL, IQ4_XS, MXFP4 } from './codebook-formats.ts';
import { IQ2_S, IQ2_XS, IQ2_XXS, IQ3_S, IQ3_XXS } from './grid-formats.ts';
import { IQ1_M, IQ1_S } from './iq1-formats.ts';
import { Q2_K, Q3_K, Q4_K, Q5_K, Q6_K } from './k-formats.ts';
import { BF16, F16, F32 } from './plain-formats.ts';
import { Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 } from './simple-formats.ts';
import { TQ1_0, TQ2_0 } from './ternary-formats.ts';

const FORMATS = {
  ...{ F32, F16, BF16 },
  ...{ Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 },
  ...{ Q2_K, Q3_K, Q4_K, Q5_K, Q6_K },
  ...{ IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S, IQ4_NL, IQ4_XS },
  ...{ TQ1_0, TQ2_0, MXFP4 },
};

/** A storage type that can be read, by GGML's name. */
export type GgmlType = keyof typeof FORMATS;

/** The format of every {@link GgmlType}. */
export const BLOCK_FORMATS: Readonly<Record<GgmlType, BlockFormat>> = FORMATS;

/** Whether tensors of a storage type of this name can be read. */
export function isGgmlType(name: string | undefined): name is GgmlType {
  return name !== undefined && Object.hasOwn(FORMATS, name);
}
