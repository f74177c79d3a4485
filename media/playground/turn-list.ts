import type { Turn } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { element } from '../webview/element.ts';
import { verbatim } from './verbatim.ts';

/** The turns of a conversation, each with who said it. */
export function turnList(texts: PlaygroundTexts, turns: readonly Turn[]): HTMLElement {
  return element(
    'div',
    { class: 'turns' },
    turns.map((turn) => turnView(texts, turn.role, verbatim(turn.content))),
  );
}

/** One turn, which may still be written. */
export function turnView(texts: PlaygroundTexts, role: string, content: HTMLElement): HTMLElement {
  return element('div', { class: `turn ${role === 'user' ? 'user' : 'model'}` }, [
    element('h3', { class: 'quiet', text: roleName(texts, role) }),
    content,
  ]);
}

/** Who says a turn. */
export function roleName(texts: PlaygroundTexts, role: string): string {
  if (role === 'user') return texts.role_user;
  if (role === 'assistant') return texts.role_assistant;
  return role === 'system' ? texts.role_system : role;
}
