import { expect, test } from 'vitest';
import { doctorMarkdown } from '../../../extension/doctor/doctor-markdown.ts';
import type { DoctorTexts } from '../../../extension/doctor/doctor-texts.ts';
import {
  type MachineReport,
  machineReportSchema,
} from '../../../extension/doctor/machine-report.ts';
import { doctorJson } from '../../../server/cli/doctor-report.ts';
import { inspectSystem } from '../../../server/cli/system-report.ts';

/** Every word by its own name. */
const texts = new Proxy({}, { get: (_, name) => String(name) }) as DoctorTexts;

async function report(onnxruntime: MachineReport['onnxruntime']): Promise<MachineReport> {
  const system = await inspectSystem('.');
  return { ...machineReportSchema.parse(doctorJson(system, { problem: '' })), onnxruntime };
}

test('the report names the devices that work and what the others lack', async () => {
  const devices = [
    { device: 'cpu', usable: true },
    { device: 'cuda', usable: false, problem: 'libcudnn.so.9 <is> missing;\ninstall *cuDNN*.' },
  ];
  const bfloat16 = { usable: false, problem: 'no oneDNN.' };
  const markdown = doctorMarkdown(await report({ version: '1.2.3', devices, bfloat16 }), texts);
  expect(markdown).toContain('✓ ready `cpu`');
  expect(markdown).toContain('- libcudnn.so.9 \\<is\\> missing; install \\*cuDNN\\*.');
  expect(markdown).toContain('| ONNX Runtime | 1.2.3 |');
  expect(markdown).toContain('| bfloat16 | notUsable: no oneDNN. |');
});

test('without ONNX Runtime the report says so first', async () => {
  const markdown = doctorMarkdown(await report({ problem: 'no library' }), texts);
  expect(markdown.split('\n\n')[1]).toBe('✗ notReady');
  expect(markdown).toContain('- **ONNX Runtime**: no library');
});

test('a GPU is told in the words of the user', async () => {
  const latin = new Proxy({}, { get: (_, name) => `${String(name)} (in Latin)` }) as DoctorTexts;
  const gpu = { name: 'NVIDIA H100', memoryBytes: 80 * 2 ** 30, freeBytes: null, driver: '580.1' };
  const devices = [{ device: 'cuda', usable: true, gpu }];
  const bfloat16 = { usable: true };
  const markdown = doctorMarkdown(await report({ version: '1.2.3', devices, bfloat16 }), latin);
  expect(markdown).toContain('NVIDIA H100, 80.0 GiB, driver (in Latin) 580.1');
});
