/**
 * Parts of the names of parameters that weight decay leaves alone: biases, and the weights of norms
 * (transformers `Trainer.get_decay_parameter_names`, which looks for them in the name in lower case).
 */
const NOT_DECAYED = [/bias/, /layernorm/, /rmsnorm/, /(?:^|\.)norm(?:$|\.)/, /_norm(?:$|\.)/];

/**
 * Whether the Trainer lets a parameter decay. It asks for the kind of layer too (`nn.LayerNorm`), which
 * none of the families here has: their norms are RMSNorms, told by their names alone.
 *
 * @param name in the model, e.g. `model.layers.0.self_attn.q_proj.weight`
 */
export function decaysInTrainer(name: string): boolean {
  return !NOT_DECAYED.some((pattern) => pattern.test(name.toLowerCase()));
}
