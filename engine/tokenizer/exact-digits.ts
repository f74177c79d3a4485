/**
 * A `pre_tokenizer` of `tokenizer.json` with every `Digits` in it written as the equivalent
 * `Split`. The format's own `Digits` takes every numeric character (`¾`, `Ⅷ`, `٣`) for a digit,
 * but @huggingface/tokenizers 0.2 only decimal digits, which gives other tokens than the model was
 * trained on.
 */
export function withExactDigits(preTokenizer: unknown): unknown {
  if (typeof preTokenizer !== 'object' || preTokenizer === null) return preTokenizer;
  const component = preTokenizer as Readonly<Record<string, unknown>>;
  if (component['type'] === 'Sequence' && Array.isArray(component['pretokenizers'])) {
    return { ...component, pretokenizers: component['pretokenizers'].map(withExactDigits) };
  }
  if (component['type'] !== 'Digits') return component;
  const Regex = component['individual_digits'] === true ? '\\p{N}' : '\\p{N}+';
  return { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
}
