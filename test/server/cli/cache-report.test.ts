import { expect, test } from 'vitest';
import { renderCache, renderEmptied } from '../../../server/cli/cache-report.ts';

const GIB = 2 ** 30;

const entries = [
  {
    kind: 'nf4' as const,
    model: 'SmolLM2-135M',
    file: '/cache/nf4/SmolLM2-135M-0.safetensors',
    bytes: GIB / 8,
    usedAt: Date.UTC(2026, 0, 31),
    isInUse: false,
  },
  {
    kind: 'gguf' as const,
    model: 'Llama-3-8B.Q4_K_M',
    file: '/cache/gguf/Llama-3-8B.Q4_K_M-1.safetensors',
    bytes: 15 * GIB,
    usedAt: Date.UTC(2026, 1, 1),
    isInUse: true,
  },
];

test('weights in the cache are a table, those that were used last first', () => {
  expect(renderCache('/cache', entries, 50 * GIB).split('\n')).toEqual([
    'Weights in /cache: 15.1 GiB of at most 50.0 GiB',
    '  15.0 GiB  unpacked  in use           Llama-3-8B.Q4_K_M',
    '  128 MiB   in NF4    used 2026-01-31  SmolLM2-135M',
  ]);
  expect(renderCache('/cache', [], GIB)).toBe('Weights in /cache: 0 KiB of at most 1.0 GiB');
});

test('what was removed is told, and what is in use and stayed', () => {
  const [unused, used] = entries;
  expect(renderEmptied('/cache', { removed: [unused!], kept: [used!] })).toBe(
    'Removed 128 MiB of weights from /cache. In use, and kept: Llama-3-8B.Q4_K_M (15.0 GiB).',
  );
  expect(renderEmptied('/cache', { removed: entries, kept: [] })).toBe(
    'Removed 15.1 GiB of weights from /cache.',
  );
});
