import type { OpTable } from '../op.ts';
import { attentionOps } from './attention.ts';
import { bfloat16Ops } from './bfloat16.ts';
import { blockwiseOps } from './blockwise.ts';
import { decoderOps } from './decoder-ops.ts';
import { elementwiseOps } from './elementwise.ts';
import { groupedAttentionOps } from './grouped-attention.ts';
import { indexingOps } from './indexing.ts';
import { int8Ops } from './int8.ts';
import { leafOps } from './leaves.ts';
import { linearAlgebraOps } from './linear-algebra.ts';
import { movementOps } from './movement.ts';
import { quantizedOps } from './quantized.ts';
import { reductionOps } from './reductions.ts';
import { segmentOps } from './segments.ts';
import { swigluOps } from './swiglu.ts';

/** All ops. */
export const opTable: OpTable = {
  ...leafOps,
  ...elementwiseOps,
  ...reductionOps,
  ...decoderOps,
  ...linearAlgebraOps,
  ...quantizedOps,
  ...blockwiseOps,
  ...int8Ops,
  ...bfloat16Ops,
  ...attentionOps,
  ...groupedAttentionOps,
  ...swigluOps,
  ...movementOps,
  ...indexingOps,
  ...segmentOps,
};
