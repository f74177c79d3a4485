import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import {
  inspectSystem,
  parseAvailableMemory,
  parseCpuFeatures,
} from '../../../server/cli/system-report.ts';

test('reads the instruction sets of x86 and Arm', () => {
  const x86 = 'processor\t: 0\nmodel name\t: A CPU\nflags\t\t: fpu avx2 fma avx512_vnni\n';
  expect(parseCpuFeatures(x86)).toEqual(['avx2', 'fma', 'avx512_vnni']);
  expect(parseCpuFeatures('Features\t: fp asimddp i8mm\n')).toEqual(['asimddp', 'i8mm']);
  expect(parseCpuFeatures('')).toEqual([]);
});

test('reads the memory that can be had', () => {
  expect(parseAvailableMemory('MemTotal: 9 kB\nMemAvailable:   2048 kB\n')).toBe(2 ** 21);
  expect(parseAvailableMemory('MemFree: 9 kB\n')).toBeUndefined();
});

test('this machine', async () => {
  const report = await inspectSystem(tmpdir());
  expect(report.node).toBe(process.versions.node);
  expect(report.cpu.logicalCores).toBeGreaterThan(0);
  expect(report.memory.freeBytes).toBeLessThanOrEqual(report.memory.totalBytes);
  expect(report.disk.freeBytes).toBeGreaterThan(0);
});
