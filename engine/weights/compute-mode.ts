/**
 * In what the products with the frozen weights of the decoder layers are computed:
 *
 * - `float32`;
 * - `int8`: weights and activations in eight bits each;
 * - `bfloat16`: weights and activations in bfloat16, those with the output embedding too, on the CPU with
 *   adapters as well;
 * - `bfloat16x2`: the same with what rounding the activations leaves, as two products.
 *
 * Splitting a factor into parts that a narrow multiplier takes is the way of the Ozaki scheme
 * (doi:10.1007/s11075-011-9478-1).
 */
export const COMPUTE_MODES = ['float32', 'int8', 'bfloat16', 'bfloat16x2'] as const;

export type ComputeMode = (typeof COMPUTE_MODES)[number];

/** The modes that each kind of device has kernels for. */
export const MODES_OF_DEVICES: Readonly<Record<'cpu' | 'cuda' | 'webgpu', readonly ComputeMode[]>> =
  {
    cpu: COMPUTE_MODES,
    cuda: ['float32', 'bfloat16'],
    webgpu: ['float32'],
  };

/** The modes that need weights in bfloat16. */
export type Bfloat16Mode = Extract<ComputeMode, `bfloat16${string}`>;

export function isBfloat16Mode(mode: ComputeMode): mode is Bfloat16Mode {
  return mode.startsWith('bfloat16');
}

/**
 * How far the gradient of any trained tensor may be from that of float32, by its norm, for `auto`
 * to take a mode. Training in bfloat16, as is usual on graphics cards, is an order of magnitude
 * farther away.
 */
export const MAX_GRADIENT_ERROR = 1e-3;
