import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { decoderModules } from '../architectures/modules.ts';

/**
 * Parts of the names of parameters that weight decay leaves alone: biases, and the weights of norms
 * (transformers `Trainer.get_decay_parameter_names`, which looks for them in the name in lower case).
 */
const NOT_DECAYED = [/bias/, /layernorm/, /rmsnorm/, /(?:^|\.)norm(?:$|\.)/, /_norm(?:$|\.)/];

/**
 * Whether the Trainer lets a parameter decay. It asks for the kind of layer too: what a LayerNorm has
 * does not decay, RMSNorms are told by their names alone.
 *
 * @param name in the model, e.g. `model.layers.0.self_attn.q_proj.weight`
 * @param layerNorms names of the model's LayerNorms; those of adapters have none
 */
export function decaysInTrainer(
  name: string,
  layerNorms: ReadonlySet<string> = new Set(),
): boolean {
  const module = name.slice(0, name.lastIndexOf('.'));
  return !layerNorms.has(module) && !NOT_DECAYED.some((each) => each.test(name.toLowerCase()));
}

/** The names of a model's LayerNorms. */
export function layerNormNames(config: DecoderConfig): ReadonlySet<string> {
  const norms = decoderModules(config).filter(({ part }) => part.kind === 'layer');
  return new Set(norms.map(({ part }) => part.name));
}
