import type { HeldOutPrompt, HeldOutResult } from './held-out.ts';

/** How many prompts people get to see. */
const SHOWN = 5;

/** "before: 0 of 60 exactly right (0.0 %)". */
export function describeAccuracy(
  label: string,
  { completions, correct, accuracy }: HeldOutResult,
): string {
  const percent = (100 * accuracy).toFixed(1);
  return `${label}: ${correct} of ${completions.length} completions exactly right (${percent} %)`;
}

/** The first prompts, each with what the model wrote before and after. */
export function renderComparison(
  prompts: readonly HeldOutPrompt[],
  before: HeldOutResult,
  after: HeldOutResult,
): string {
  const entries = prompts.slice(0, SHOWN).map(({ prompt, expected }, index) => {
    const completion = ({ completions }: HeldOutResult): string => {
      const text = completions[index]!;
      return `${text === expected ? '✓' : '✗'} ${oneLine(text)}`;
    };
    return [
      oneLine(prompt.trimEnd()),
      `  before ${completion(before)}`,
      `  after  ${completion(after)}`,
    ].join('\n');
  });
  return entries.join('\n');
}

/** A text on one line, with its line breaks as `⏎`. */
function oneLine(text: string): string {
  return text.replaceAll('\n', ' ⏎ ');
}
