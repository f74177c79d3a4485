import type { DecoderConfig } from '../architectures/decoder-config.ts';

/** What is no part of what a decoder computes, or is told apart by the tokenizer. */
const UNSAID = new Set(['family', 'bosTokenId', 'eosTokenIds', 'padTokenId']);

/**
 * Where a model that is read from a GGUF file differs from the one that was written into it: what the
 * format has no place for, of which llama.cpp knows nothing.
 *
 * @returns sentences for people
 */
export function ggufDifferences(meant: DecoderConfig, read: DecoderConfig): readonly string[] {
  const differences = [...leaves(meant, read, '')];
  const kinds = new Map<string, (typeof differences)[number] & { count: number }>();
  for (const difference of differences) {
    const kind = difference.at.replace(/\d+/g, 'N');
    kinds.set(kind, { ...difference, count: (kinds.get(kind)?.count ?? 0) + 1 });
  }
  return [...kinds.values()].map(
    ({ at, meant: one, read: other, count }) =>
      `A GGUF file has no place for ${at} of this model (${one}, read as ${other}${count > 1 ? `, in ${count} layers` : ''}): llama.cpp computes there as it does by default.`,
  );
}

interface Difference {
  readonly at: string;
  readonly meant: string;
  readonly read: string;
}

/** Numbers are float32 in metadata. */
function* leaves(meant: unknown, read: unknown, at: string): Generator<Difference> {
  if (isObject(meant) && isObject(read)) {
    for (const key of new Set([...Object.keys(meant), ...Object.keys(read)])) {
      if (at === '' && UNSAID.has(key)) continue;
      yield* leaves(meant[key], read[key], at === '' ? key : `${at}.${key}`);
    }
    return;
  }
  const [one, other] = [meant, read].map((value) =>
    JSON.stringify(value ?? null, (_, each) =>
      typeof each === 'number' ? Number(each.toPrecision(6)) : each,
    ),
  ) as [string, string];
  if (one !== other) yield { at, meant: shortened(one), read: shortened(other) };
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
