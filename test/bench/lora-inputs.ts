import type { LoraModule } from '../../engine/lora/lora-module.ts';

/** Layers that read one and the same value, by the ends of their names. */
const SHARED_INPUTS: readonly (readonly string[])[] = [
  ['q_proj', 'k_proj', 'v_proj'],
  ['o_proj'],
  ['gate_proj', 'up_proj'],
  ['down_proj'],
];

/**
 * What LoRA-FA saves by theory (arXiv 2308.03303): bytes of the full-width inputs of all adapted
 * layers, which LoRA keeps for the gradient of A. A value that several layers read is kept once.
 *
 * @param tokens of one step
 */
export function loraInputBytes(modules: readonly LoraModule[], tokens: number): number {
  const widths = new Map(
    modules.map(({ name, inFeatures }) => {
      const dot = name.lastIndexOf('.');
      const readers = SHARED_INPUTS.findIndex((names) => names.includes(name.slice(dot + 1)));
      return [`${name.slice(0, dot)} ${readers}`, inFeatures];
    }),
  );
  return [...widths.values()].reduce((sum, width) => sum + 4 * width * tokens, 0);
}
