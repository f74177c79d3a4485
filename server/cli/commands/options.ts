import { InvalidArgumentError } from 'commander';

/** For options that may be given more than once. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** A parser of numbers within bounds, for commander. */
export function numberOption(
  bounds: { readonly min?: number; readonly max?: number; readonly integer?: true },
  words: string,
): (text: string) => number {
  const { min = -Infinity, max = Infinity, integer } = bounds;
  return (text) => {
    const value = Number(text);
    const isWrong =
      text.trim() === '' ||
      !Number.isFinite(value) ||
      value < min ||
      value > max ||
      (integer === true && !Number.isSafeInteger(value));
    if (isWrong) throw new InvalidArgumentError(`It must be ${words}.`);
    return value;
  };
}
