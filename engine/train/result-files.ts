import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE } from '../lora/adapter.ts';
import { TOKENIZER_FILES } from '../tokenizer/save-tokenizer.ts';

/** The weights of a model that a run has trained whole. */
export const MODEL_FILE = 'model.safetensors';

/** The moments of a checkpoint's optimizer. */
export const OPTIMIZER_FILE = 'optimizer.safetensors';

/** Names of the files of a result, in a run folder and in its checkpoints. */
export const RESULT_FILES = {
  adapter: [ADAPTER_WEIGHTS_FILE, ADAPTER_CONFIG_FILE],
  model: [MODEL_FILE, 'config.json', ...TOKENIZER_FILES],
} as const;
