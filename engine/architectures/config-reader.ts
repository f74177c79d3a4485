import type { LorafaError } from '../errors.ts';
import { quote } from '../quote.ts';
import type { ConfigFailure } from './check-keys.ts';
import type { CommonKeys } from './config-keys.ts';
import { CONFIG_LIMITS } from './config-limits.ts';
import type { Activation, LayerType, Rotary } from './decoder-config.ts';
import { LLAMA_NAMES, type ModuleNames } from './module-names.ts';
import type { LayerSizes } from './parts.ts';
import { parseRotary, type RotaryKeys } from './rope-config.ts';

const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map([
  ['silu', 'silu'],
  ['swish', 'silu'],
  ['gelu', 'gelu'],
  ['gelu_pytorch_tanh', 'gelu_tanh'],
  ['gelu_new', 'gelu_tanh'],
]);

/** What `layer_types` called them before (transformers `configuration_utils.py`). */
const OLDER_LAYER_TYPES: ReadonlyMap<string, LayerType> = new Map([
  ['attention', 'full_attention'],
]);

/** What families read from a `config.json` in the same way. */
export class ConfigReader {
  readonly #keys: CommonKeys;
  readonly #fail: ConfigFailure;
  readonly sizes: LayerSizes;
  /** What the modules outside of layers are called, where a family has no names of its own. */
  readonly names: ModuleNames;

  /** @throws LorafaError `model.corrupt` for heads that do not divide. */
  constructor(keys: CommonKeys, fail: ConfigFailure, names: ModuleNames = LLAMA_NAMES) {
    this.#keys = keys;
    this.#fail = fail;
    this.names = names;
    this.sizes = layerSizes(keys, fail);
  }

  /** One value for each layer. */
  perLayer<T>(make: (layer: number) => T): T[] {
    return Array.from({ length: this.#keys.num_hidden_layers }, (_, layer) => make(layer));
  }

  /** @throws LorafaError `model.unsupported` */
  activation(key: string, name: string): Activation {
    const known = ACTIVATIONS.get(name);
    if (known !== undefined) return known;
    throw this.unsupported(
      `the activation ${key} ${quote(name)} is not known; known are ${[...ACTIVATIONS.keys()].join(', ')}`,
    );
  }

  /**
   * The rotary embedding, to be shared by the layers that have it.
   *
   * @throws LorafaError `model.unsupported`, `model.corrupt`
   */
  rotary(keys: Partial<RotaryKeys> = {}): Rotary {
    const { headDim } = this.sizes;
    return parseRotary(this.#keys, { headDim, ...keys }, this.#fail);
  }

  /**
   * `layer_types`, or what `unless` says of each layer where it is left out.
   *
   * @throws LorafaError `model.unsupported` for a type that is not known
   */
  layerTypes(unless: (layer: number) => LayerType): readonly LayerType[] {
    const types = this.#keys.layer_types;
    if (types == null) return this.perLayer(unless);
    if (types.length !== this.#keys.num_hidden_layers) {
      throw this.#fail(
        'model.corrupt',
        `"layer_types" names ${types.length} layers where num_hidden_layers is ${this.#keys.num_hidden_layers}`,
      );
    }
    return types.map((named) => {
      const type = OLDER_LAYER_TYPES.get(named) ?? named;
      if (type === 'full_attention' || type === 'sliding_attention') return type;
      throw this.unsupported(`layer_types asks for ${quote(named)}, which is not known here`);
    });
  }

  /**
   * The window of each layer, null where it sees all that came before.
   *
   * @param window what a sliding layer sees; null: no layer may slide
   * @throws LorafaError as {@link layerTypes}; `model.unsupported` for sliding layers without a window
   */
  windows(window: number | null, unless: (layer: number) => LayerType): (number | null)[] {
    return this.layerTypes(unless).map((type) => {
      if (type === 'full_attention') return null;
      if (window !== null) return window;
      throw this.unsupported('layer_types asks for "sliding_attention", but no window is set');
    });
  }

  /** @throws LorafaError `model.corrupt` for more experts than there are, or than are plausible. */
  requireExperts(count: number, perToken: number): void {
    if (perToken > count) {
      throw this.#fail(
        'model.corrupt',
        `num_experts_per_tok (${perToken}) is more than there are experts (${count})`,
      );
    }
    const inAll = count * this.#keys.num_hidden_layers;
    if (inAll > CONFIG_LIMITS.expertsInAll) {
      throw this.#fail(
        'model.corrupt',
        `it has ${inAll} experts in all its layers, more than any model's, which are at most ${CONFIG_LIMITS.expertsInAll} here`,
      );
    }
  }

  unsupported(cause: string): LorafaError {
    return this.#fail('model.unsupported', cause);
  }
}

function layerSizes(keys: CommonKeys, fail: ConfigFailure): LayerSizes {
  const { hidden_size: hiddenSize, num_attention_heads: numHeads } = keys;
  const numKeyValueHeads = keys.num_key_value_heads ?? numHeads;
  const headDim = keys.head_dim ?? hiddenSize / numHeads;
  if (numHeads % numKeyValueHeads !== 0) {
    throw fail(
      'model.corrupt',
      `num_attention_heads (${numHeads}) is not a multiple of num_key_value_heads (${numKeyValueHeads})`,
    );
  }
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw fail(
      'model.corrupt',
      `the width of a head (head_dim, or hidden_size ${hiddenSize} / num_attention_heads ${numHeads}) is ${headDim}, not an even number`,
    );
  }
  const { intermediate_size: intermediateSize } = keys;
  return { hiddenSize, intermediateSize, numHeads, numKeyValueHeads, headDim };
}
