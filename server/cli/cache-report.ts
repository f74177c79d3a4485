import type { CacheEntry, EmptiedCache, WeightKind } from '../../engine/weights/cache-entries.ts';
import { formatBytes } from '../format.ts';

/** What was made of a model's weights. */
const KINDS: Readonly<Record<WeightKind, string>> = {
  gguf: 'unpacked',
  blockwise: 'in blocks',
  nf4: 'in NF4',
  int8: 'in eight bits',
  bfloat16: 'in bfloat16',
};

/**
 * The weights in a cache folder as a table for people, those that were used last first.
 *
 * @param limit bytes that they may have
 */
export function renderCache(folder: string, entries: readonly CacheEntry[], limit: number): string {
  const head = `Weights in ${folder}: ${formatBytes(bytesOf(entries))} of at most ${formatBytes(limit)}`;
  const rows = entries
    .toReversed()
    .map(({ bytes, kind, model, usedAt, isInUse }) => [
      `  ${formatBytes(bytes)}`,
      KINDS[kind],
      isInUse ? 'in use' : `used ${new Date(usedAt).toISOString().slice(0, 10)}`,
      model,
    ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((text, at) => text.padEnd(widths[at] ?? 0)).join('  '));
  return [head, ...lines].join('\n');
}

/** What came of emptying a cache, for people. */
export function renderEmptied(folder: string, { removed, kept }: EmptiedCache): string {
  const removal = `Removed ${formatBytes(bytesOf(removed))} of weights from ${folder}.`;
  if (kept.length === 0) return removal;
  const names = kept.map(({ model }) => model).join(', ');
  return `${removal} In use, and kept: ${names} (${formatBytes(bytesOf(kept))}).`;
}

function bytesOf(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}
