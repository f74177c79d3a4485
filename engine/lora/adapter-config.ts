import path from 'node:path';
import { z } from 'zod';
import { MAX_ALPHA } from '../config/lora-section.ts';
import { LorafaError } from '../errors.ts';
import { type JsonObject, readJsonFile } from '../json-file.ts';
import { quote } from '../quote.ts';
import { ADAPTER_CONFIG_FILE } from './adapter.ts';
import type { LoraConfig } from './lora-config.ts';
import type { LoraModule } from './lora-module.ts';

const alpha = z.number().min(-MAX_ALPHA).max(MAX_ALPHA);

/** The keys of an `adapter_config.json` that say what the adapter computes; defaults are PEFT's. */
const loraConfigSchema = z.object({
  r: z.int().min(1).default(8),
  lora_alpha: alpha.default(8),
  lora_dropout: z.number().min(0).lt(1).default(0),
  use_rslora: z.boolean().default(false),
  target_modules: z.union([z.string(), z.array(z.string())]),
  exclude_modules: z.union([z.string(), z.array(z.string())]).nullish(),
  layers_to_transform: z.union([z.int(), z.array(z.int())]).nullish(),
  rank_pattern: z.record(z.string(), z.int().min(1)).nullish(),
  alpha_pattern: z.record(z.string(), alpha).nullish(),
  base_model_name_or_path: z.string().nullish(),
  revision: z.string().nullish(),
});

/** The values that other keys may have, besides being off; `true` stands for any. */
const HARMLESS: Readonly<Record<string, true | readonly unknown[]>> = {
  peft_type: ['LORA'],
  task_type: ['CAUSAL_LM'],
  bias: ['none'],
  layers_pattern: ['layers'],
  // Other ways to initialise change the base weights too, or (LoftQ) quantise them.
  init_lora_weights: [true, 'gaussian', 'orthogonal', 'eva'],
  // Notes that PEFT leaves, and settings of features that other keys switch on.
  auto_mapping: true,
  corda_config: true,
  ensure_weight_tying: true,
  eva_config: true,
  // PEFT goes by the layer and corrects what is said here.
  fan_in_fan_out: true,
  inference_mode: true,
  loftq_config: true,
  lora_ga_config: true,
  megatron_core: true,
  peft_version: true,
  qalora_group_size: true,
};

/** The content of an `adapter_config.json`. */
export interface AdapterConfigFile {
  readonly config: LoraConfig;
  /** The base model that the adapter was made for, as its maker called it. */
  readonly baseModelNameOrPath: string | null;
  /** The revision of its repository on the Hub. */
  readonly revision: string | null;
}

/** What the base model of an adapter is called. */
export interface AdapterBase {
  /** Its name on the Hub, or a path. */
  readonly name: string;
  /** Of its repository on the Hub: PEFT loads the base as it was at this commit. */
  readonly revision?: string;
}

/**
 * Reads the `adapter_config.json` of a folder.
 *
 * @throws LorafaError `adapter.not_found`; `adapter.corrupt`; `adapter.unsupported`, naming the
 * key, for everything but plain LoRA.
 */
export async function readAdapterConfig(folder: string): Promise<AdapterConfigFile> {
  const file = path.join(folder, ADAPTER_CONFIG_FILE);
  const json = await readJsonFile(file, 'adapter.corrupt');
  if (json === null) {
    throw new LorafaError(
      'adapter.not_found',
      `${folder} has no ${ADAPTER_CONFIG_FILE}; give the folder that PEFT or lorafa saved the adapter in.`,
      { location: { file } },
    );
  }
  if (json['peft_type'] === undefined) {
    throw new LorafaError(
      'adapter.corrupt',
      `${file} has no "peft_type", so it is not the configuration of a PEFT adapter; use another copy.`,
      { location: { file } },
    );
  }
  refuseUnsupported(json, file);
  const parsed = loraConfigSchema.safeParse(json);
  if (!parsed.success) {
    const { path: at, message } = parsed.error.issues[0]!;
    throw new LorafaError(
      'adapter.corrupt',
      `${file} holds a value that is not valid at "${at.join('.')}" (${message}); use another copy of the adapter.`,
      { location: { file } },
    );
  }
  const { base_model_name_or_path, revision, exclude_modules, layers_to_transform, ...data } =
    parsed.data;
  return {
    config: {
      ...data,
      rank_pattern: data.rank_pattern ?? {},
      alpha_pattern: data.alpha_pattern ?? {},
      ...(exclude_modules != null && { exclude_modules }),
      ...(layers_to_transform != null && { layers_to_transform }),
    },
    // An empty name is none, and not the folder that the program runs in; PEFT has had empty revisions.
    baseModelNameOrPath: base_model_name_or_path || null,
    revision: revision || null,
  };
}

/**
 * Everything that is neither understood nor harmless changes what the adapter computes, in ways
 * that later versions of PEFT may add to: it is refused unless it is off.
 */
function refuseUnsupported(json: JsonObject, file: string): void {
  for (const [key, value] of Object.entries(json)) {
    if (Object.hasOwn(loraConfigSchema.shape, key) || isOff(value)) continue;
    const allowed = Object.hasOwn(HARMLESS, key) ? HARMLESS[key]! : [];
    const values = Array.isArray(value) ? value : [value];
    if (allowed === true || values.every((item) => allowed.includes(item))) continue;
    throw new LorafaError(
      'adapter.unsupported',
      `${file} sets ${quote(key)} to ${quote(value)}, which is not supported; only plain LoRA adapters of a causal language model can be used.`,
      { location: { file } },
    );
  }
}

function isOff(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === null || value === false || value === '';
}

/**
 * What of an `adapter_config.json` is needed to load the adapter, for those who are given it: other keys may hold
 * anything, as paths of the machine that it was made on.
 */
export function neededConfig(json: JsonObject): JsonObject {
  const entries = Object.entries(json).filter(([key, value]) => {
    const known = Object.hasOwn(HARMLESS, key) ? HARMLESS[key]! : true;
    // What is on or off or not given tells nothing.
    const isMute = value === null || typeof value === 'boolean';
    return Object.hasOwn(loraConfigSchema.shape, key) || known !== true || isMute;
  });
  return Object.fromEntries(entries);
}

/**
 * The content of the `adapter_config.json` for an adapter: the keys that every version of PEFT
 * since 0.9 knows, so that none of them stumbles over one.
 *
 * A string in `target_modules` means linear layers here and any module in PEFT, and PEFT takes no
 * `layers_to_transform` beside it, so it is written as the list of the adapted layers.
 */
export function adapterConfigJson(
  config: LoraConfig,
  modules: readonly LoraModule[],
  base: AdapterBase,
): JsonObject {
  const selection =
    typeof config.target_modules === 'string'
      ? { target_modules: modules.map(({ name }) => name), layers_to_transform: null }
      : {
          target_modules: config.target_modules,
          layers_to_transform: config.layers_to_transform ?? null,
          ...(config.exclude_modules !== undefined && { exclude_modules: config.exclude_modules }),
        };
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base.name,
    revision: base.revision ?? null,
    inference_mode: true,
    r: config.r,
    lora_alpha: config.lora_alpha,
    lora_dropout: config.lora_dropout,
    use_rslora: config.use_rslora,
    ...selection,
    rank_pattern: config.rank_pattern,
    alpha_pattern: config.alpha_pattern,
    bias: 'none',
    modules_to_save: null,
    layers_pattern: null,
    fan_in_fan_out: modules.some(({ fanInFanOut }) => fanInFanOut),
    init_lora_weights: true,
    use_dora: false,
    auto_mapping: null,
  };
}
