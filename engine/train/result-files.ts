import { ADAPTER_FILES } from '../lora/adapter.ts';
import { TOKENIZER_FILES } from '../tokenizer/save-tokenizer.ts';
import { CHAT_TEMPLATE_FILE } from '../tokenizer/tokenizer-files.ts';

/** The weights of a model that a run has trained whole. */
export const MODEL_FILE = 'model.safetensors';

/** The moments of a checkpoint's optimizer. */
export const OPTIMIZER_FILE = 'optimizer.safetensors';

/** Names of the files of a result, in a run folder and in its checkpoints. */
export const RESULT_FILES = {
  adapter: [...ADAPTER_FILES, CHAT_TEMPLATE_FILE],
  model: [MODEL_FILE, 'config.json', ...TOKENIZER_FILES],
} as const;
