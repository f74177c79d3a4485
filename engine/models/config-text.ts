import type { JsonObject } from '../json-file.ts';

/**
 * Keys of which the configuration classes of transformers (5.23) take numbers with a point only, in any of the families
 * here: there 30 is refused where 30.0 is meant, and JavaScript writes both alike.
 */
const FLOATS = [
  'attn_logit_softcapping',
  'final_logit_softcapping',
  'initializer_range',
  'layer_norm_eps',
  'layer_norm_epsilon',
  'logit_scale',
  'norm_epsilon',
  'rms_norm_eps',
  'router_aux_loss_coef',
  'router_jitter_noise',
];

/** The line of such a key with a number that is whole. */
const WHOLE_FLOAT = new RegExp(`^( *"(?:${FLOATS.join('|')})": -?\\d+)(,?)$`, 'gm');

/** A list of such numbers (that of layers of Mamba), and the lines of those in it that are whole. */
const FLOAT_LIST = /"time_step_limit": \[[^\]]*\]/g;
const WHOLE_ITEM = /^( *-?\d+)(,?)$/gm;

/** A `config.json` as its file is written, for transformers to read. */
export function configText(config: JsonObject): string {
  const text = JSON.stringify(config, null, 2)
    .replace(WHOLE_FLOAT, '$1.0$2')
    .replace(FLOAT_LIST, (list) => list.replace(WHOLE_ITEM, '$1.0$2'));
  return `${text}\n`;
}
