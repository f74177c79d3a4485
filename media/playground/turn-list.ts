import type { Turn } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { element } from '../webview/element.ts';
import { verbatim } from './verbatim.ts';

/** The turns of a conversation, each with who said it. */
export function turnList(texts: PlaygroundTexts, turns: readonly Turn[]): HTMLElement {
  return element(
    'div',
    { class: 'turns' },
    turns.map((turn) => turnView(turn.role, roleName(texts, turn.role), verbatim(turn.content))),
  );
}

/**
 * One turn, which may still be written.
 *
 * @param who what stands over it
 */
export function turnView(role: string, who: string, content: HTMLElement): HTMLElement {
  const attributes = { 'data-role': role };
  return element('div', { class: `turn ${role === 'user' ? 'user' : 'model'}`, attributes }, [
    element('h3', { class: 'quiet', text: who }),
    content,
  ]);
}

/** Who says a turn. */
export function roleName(texts: PlaygroundTexts, role: string): string {
  if (role === 'user') return texts.role_user;
  if (role === 'assistant') return texts.role_assistant;
  return role === 'system' ? texts.role_system : role;
}
