import { expect, test } from 'vitest';
import { DeviceArena } from '../../../engine/graph/arena.ts';

const KIB = 1024;

test('a free piece that is large enough is taken, the smallest of them', () => {
  const arena = new DeviceArena();
  const [small, large] = [arena.take(5 * KIB), arena.take(6 * KIB)];
  arena.give(large);
  arena.give(small);
  expect(arena.take(4 * KIB)).toBe(small);
  expect(arena.take(4 * KIB)).toBe(large);
  expect(arena.bytes).toBe(11 * KIB);
});

test('a piece of twice the size is split, and joined again when both parts are free', () => {
  const arena = new DeviceArena();
  arena.give(arena.take(8 * KIB));
  const parts = [arena.take(3 * KIB), arena.take(4 * KIB)];
  expect(arena.bytes).toBe(8 * KIB);
  for (const part of parts) arena.give(part);
  arena.take(8 * KIB);
  expect(arena.bytes).toBe(8 * KIB);
});

test('blocks are not joined: small ones that are free are of no use to a large tensor', () => {
  const arena = new DeviceArena();
  const blocks = [arena.take(4 * KIB), arena.take(4 * KIB)];
  for (const block of blocks) arena.give(block);
  arena.take(8 * KIB);
  expect(arena.bytes).toBe(16 * KIB);
});
