/** A sentence that begins in lower case, for use after `file:line:`, as it begins a line of its own. */
export function capitalized(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** A count as it is said: `1.2M`, `34K`, `4,608`. */
export function shortCount(count: number): string {
  const [divisor, unit] =
    count >= 1e9 ? [1e9, 'B'] : count >= 1e6 ? [1e6, 'M'] : count >= 1e4 ? [1e3, 'K'] : [1, ''];
  if (unit === '') return count.toLocaleString('en-US');
  const scaled = count / divisor;
  return `${scaled >= 100 ? Math.round(scaled) : Number(scaled.toPrecision(2))}${unit}`;
}
