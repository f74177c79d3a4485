/**
 * In what the products with the frozen weights of the decoder layers are computed:
 *
 * - `float32`;
 * - `int8`: weights and activations in eight bits each;
 * - `int8x2`: activations in sixteen bits, as two products;
 * - `int8x3`: weights and activations in sixteen bits, as three products.
 *
 * Splitting a factor into parts that a narrow multiplier takes, and leaving out the products of
 * what is smallest in both, is the way of the Ozaki scheme (doi:10.1007/s11075-011-9478-1).
 */
export const COMPUTE_MODES = ['float32', 'int8', 'int8x2', 'int8x3'] as const;

export type ComputeMode = (typeof COMPUTE_MODES)[number];

/** The modes that need weights in eight bits. */
export type Int8Mode = Exclude<ComputeMode, 'float32'>;

/**
 * How far the gradient of any trained tensor may be from that of float32, by its norm, for `auto`
 * to take a mode. Training in bfloat16, as is usual on graphics cards, is an order of magnitude
 * farther away.
 */
export const MAX_GRADIENT_ERROR = 1e-3;
