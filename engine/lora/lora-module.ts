/** One adapted linear layer: its place, its sizes and its strength. */
export interface LoraModule {
  /** Name of the layer in the base model, e.g. `model.layers.0.self_attn.q_proj`. */
  readonly name: string;
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Whether the layer's matrix is stored `[in, out]`; those of the adapter are the same. */
  readonly fanInFanOut: boolean;
  /** Rank. */
  readonly r: number;
  readonly loraAlpha: number;
  /** `lora_alpha / r`, or `lora_alpha / sqrt(r)` with rsLoRA. */
  readonly scaling: number;
}

/** PEFT's name of the down projection `[r, in]`; also its name as a graph input. */
export function loraAName(module: string): string {
  return `base_model.model.${module}.lora_A.weight`;
}

/** PEFT's name of the up projection `[out, r]`; also its name as a graph input. */
export function loraBName(module: string): string {
  return `base_model.model.${module}.lora_B.weight`;
}

/** The layer whose A or B has a name; undefined for any other name. */
export function moduleOf(tensor: string): string | undefined {
  return /^base_model\.model\.(.+)\.lora_[AB]\.weight$/.exec(tensor)?.[1];
}

/** Number of elements of A. */
export function loraASize({ r, inFeatures }: LoraModule): number {
  return r * inFeatures;
}

/** Number of elements of B. */
export function loraBSize({ r, outFeatures }: LoraModule): number {
  return r * outFeatures;
}
