import { readFolderTemplate } from '../tokenizer/tokenizer-files.ts';
import { openTokenizer } from './base-model.ts';

/**
 * Whether a conversation can be put to a model: an adapter may have a chat template of its own, which goes before that
 * of the base model, as it does when they write.
 *
 * @param model folder or `.gguf` file of the base model, whose weights need not be there
 * @param adapter folder of an adapter on it; null for the base model alone
 * @throws LorafaError as `openTokenizer` and `readFolderTemplate`
 */
export async function hasChatTemplate(model: string, adapter: string | null): Promise<boolean> {
  if (adapter !== null && (await readFolderTemplate(adapter)) !== undefined) return true;
  return (await openTokenizer(model)).tokenizer.chatTemplate !== null;
}
