import { expect, test } from 'vitest';
import {
  doctorJson,
  isHealthy,
  type RuntimeReport,
  renderDoctor,
} from '../../../server/cli/doctor-report.ts';
import type { SystemReport } from '../../../server/cli/system-report.ts';

const system: SystemReport = {
  node: '20.1.0',
  os: 'Linux 6 x64',
  cpu: { model: 'A CPU', logicalCores: 2, features: ['avx2', 'fma'] },
  memory: { totalBytes: 8 * 2 ** 30, freeBytes: 2 ** 30 },
  disk: { folder: '/home', freeBytes: 2 ** 31 },
};

const runtime: RuntimeReport = {
  version: '1.30.0',
  devices: [
    { device: { kind: 'cpu', index: 0 }, usable: true },
    { device: { kind: 'cuda', index: 0 }, usable: false, problem: 'no driver.' },
    { device: { kind: 'webgpu', index: 0 }, usable: true, passedOver: 'it is slow' },
  ],
  bfloat16: { usable: false, problem: 'no library.' },
};

test('lines for people', () => {
  expect(renderDoctor(system, runtime).split('\n')).toEqual([
    'Node.js       20.1.0',
    'System        Linux 6 x64',
    'CPU           A CPU, 2 logical cores; avx2 fma',
    'Memory        1.0 GiB free of 8.0 GiB',
    'Disk          2.0 GiB free at /home',
    'ONNX Runtime  1.30.0',
    '',
    'Devices',
    '  cpu     usable',
    '  cuda:0  not usable: no driver.',
    '  webgpu  usable, but auto passes it over: it is slow',
    '',
    'Modes of engine.compute that need more than a CPU',
    '  bfloat16, bfloat16x2  not usable: no library.',
  ]);
});

test('JSON names devices as the configuration does', () => {
  expect(doctorJson(system, runtime)).toEqual({
    ...system,
    onnxruntime: {
      version: '1.30.0',
      devices: [
        { device: 'cpu', usable: true },
        { device: 'cuda:0', usable: false, problem: 'no driver.' },
        { device: 'webgpu', usable: true, passedOver: 'it is slow' },
      ],
      bfloat16: { usable: false, problem: 'no library.' },
    },
  });
});

test('without ONNX Runtime nothing can run', () => {
  const missing = { problem: 'libonnxruntime.so.1 was not found' };
  expect(isHealthy(runtime)).toBe(true);
  expect(isHealthy(missing)).toBe(false);
  expect(renderDoctor(system, missing)).toContain('missing: libonnxruntime.so.1 was not found');
  expect(doctorJson(system, missing)).toMatchObject({ onnxruntime: missing });
});
