import { plainLine, withoutIcons } from '../../server/plain-text.ts';
import { LIMITS } from './limits.ts';
import { asMarkdown, withoutMarkup } from './markup.ts';

/** What VS Code shows of a chat model. */
export interface ChatModelTexts {
  readonly name: string;
  readonly family: string;
  readonly detail: string;
  readonly tooltip: string;
}

/**
 * Names of models are text in VS Code's pickers, and in the list of models Markdown, whose links run
 * commands; tooltips are always Markdown.
 */
export function chatModelTexts({ name, family, detail, tooltip }: ChatModelTexts): ChatModelTexts {
  const label = (text: string): string => withoutMarkup(plainLine(text, LIMITS.label));
  return {
    name: label(name),
    family: label(family),
    detail: label(detail),
    tooltip: asMarkdown(withoutIcons(plainLine(tooltip, LIMITS.tooltip))),
  };
}
