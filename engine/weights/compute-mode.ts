/**
 * In what the products with the frozen weights of the decoder layers are computed:
 *
 * - `float32`;
 * - `int8`: weights and activations in eight bits each;
 * - `int8x2`: activations in sixteen bits, as two products;
 * - `int8x3`: weights and activations in sixteen bits, as three products;
 * - `bfloat16`: weights and activations in bfloat16, those with the output embedding too;
 * - `bfloat16x2`: the same with what rounding the activations leaves, as two products.
 *
 * Splitting a factor into parts that a narrow multiplier takes, and leaving out the products of
 * what is smallest in both, is the way of the Ozaki scheme (doi:10.1007/s11075-011-9478-1).
 */
export const COMPUTE_MODES = [
  'float32',
  'int8',
  'int8x2',
  'int8x3',
  'bfloat16',
  'bfloat16x2',
] as const;

export type ComputeMode = (typeof COMPUTE_MODES)[number];

/** The modes that need weights in eight bits. */
export type Int8Mode = Extract<ComputeMode, `int8${string}`>;

/** The modes that need weights in bfloat16. */
export type Bfloat16Mode = Extract<ComputeMode, `bfloat16${string}`>;

export function isInt8Mode(mode: ComputeMode): mode is Int8Mode {
  return mode.startsWith('int8');
}

export function isBfloat16Mode(mode: ComputeMode): mode is Bfloat16Mode {
  return mode.startsWith('bfloat16');
}

/**
 * How far the gradient of any trained tensor may be from that of float32, by its norm, for `auto`
 * to take a mode. Training in bfloat16, as is usual on graphics cards, is an order of magnitude
 * farther away.
 */
export const MAX_GRADIENT_ERROR = 1e-3;
