import { z } from 'zod';
import { count, index } from '../config-limits.ts';
import { family } from '../family.ts';
import { fusedGatedMlp } from '../parts.ts';
import { GRANITE_DEFAULTS, GRANITE_GGUF, GRANITE_KEYS, graniteStyle } from './granite-parts.ts';

const NAMES = { gateUp: 'input_linear', down: 'output_linear' };

/**
 * Granite 4 where all layers have attention and none has experts: a Granite 3 with gate and up from one
 * layer (transformers `modeling_granitemoehybrid.py`). GGUF files hold it as a Granite 3, which it is read as.
 */
export const granite4 = family({
  className: 'GraniteMoeHybridForCausalLM',
  modelType: 'granitemoehybrid',
  models: 'Granite 4, dense (350M, 1B, Micro)',
  gguf: { ...GRANITE_GGUF, gateUpApart: true },
  defaults: {
    ...GRANITE_DEFAULTS,
    num_local_experts: 8,
    shared_intermediate_size: 1024,
    position_embedding_type: null,
  },
  keys: {
    ...GRANITE_KEYS,
    num_local_experts: index('experts').nullable(),
    shared_intermediate_size: count('innerWidth'),
    position_embedding_type: z.string().nullable(),
  },
  commonKeys: (keys) => ({ intermediate_size: keys.shared_intermediate_size }),
  declare: (keys, reader) => {
    if ((keys.num_local_experts ?? 0) > 0) {
      throw reader.unsupported(
        `it has experts (num_local_experts ${keys.num_local_experts}); of Granite 4 the dense models are known: 350M, 1B and Micro`,
      );
    }
    if (keys.layer_types == null) {
      throw reader.unsupported('without layer_types all its layers are those of Mamba');
    }
    reader.layerTypes(() => 'full_attention');
    return graniteStyle(keys, reader, {
      knowsPositions: keys.position_embedding_type === 'rope',
      mlp: (layer, { sizes, activation }) =>
        fusedGatedMlp(`${layer}.shared_mlp`, sizes, activation, NAMES),
    });
  },
});
