import { lookForChatTemplate } from '../../server/protocol/models.ts';
import type { ServerLink } from '../server-link.ts';
import { readCatalog } from './model-catalog.ts';

/**
 * Whether a conversation can be put to an adapter on its base model, which their files say.
 *
 * @param adapter its folder
 * @returns null where nobody knows, such as without the base model
 */
export async function canChat(server: ServerLink, adapter: string): Promise<boolean | null> {
  try {
    const { adapters } = await readCatalog(server);
    const model = adapters.find(({ path }) => path === adapter)?.model ?? null;
    return model === null ? null : await server.ask(lookForChatTemplate, { model, adapter });
  } catch {
    // What is wrong with the files is told when they are to answer.
    return null;
  }
}
