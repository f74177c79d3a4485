import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { namesOfParts } from '../../../engine/gguf/split-name.ts';
import { type BaseModel, openBaseModel } from '../../../engine/models/base-model.ts';
import { loadTokenizer, type Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import {
  CHAT_TEMPLATE_FILE,
  TOOL_TEMPLATE_FILE,
} from '../../../engine/tokenizer/tokenizer-files.ts';
import { FileCache } from './file-cache.ts';

/** A base model with its tokenizer; of its weights only the headers were read. */
export interface KnownModel {
  readonly model: BaseModel;
  readonly tokenizer: Tokenizer;
}

/** Files of a model folder by whose change the model is another one. */
const MODEL_FILES = [
  '',
  'config.json',
  'model.safetensors',
  'model.safetensors.index.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'generation_config.json',
  CHAT_TEMPLATE_FILE,
  TOOL_TEMPLATE_FILE,
];

/** What a model is read from; for a `.gguf` file that is the file itself, with its other parts. */
export function modelFiles(location: string): readonly string[] {
  const parts = namesOfParts(location);
  if (parts.length > 1) return parts;
  return MODEL_FILES.map((name) => path.join(location, name));
}

/** What a model's template and expressions may take for a text while somebody waits; see `loadTokenizer`. */
const SECONDS = 2;

/** Base models by their paths; those that were looked at last are remembered. */
export class KnownModels {
  readonly #models = new FileCache<KnownModel>(2);

  /**
   * The model at a path, looked at but never unpacked.
   *
   * @throws LorafaError as `openBaseModel` and `loadTokenizer`
   */
  get(location: string): Promise<KnownModel> {
    return this.#models.get(location, modelFiles(location), async () => {
      const model = await openBaseModel(location, { headersOnly: true });
      // A large vocabulary takes a while; what came in meanwhile is read first.
      await setImmediate();
      const tokenizer = loadTokenizer(model.tokenizer, model.config, { seconds: SECONDS });
      return { model, tokenizer };
    });
  }
}
