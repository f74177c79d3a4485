import { formatDevice } from '../../engine/runtime/device.ts';
import type { DeviceStatus } from '../../engine/runtime/devices.ts';
import type { NvidiaGpu } from '../../engine/runtime/nvidia-smi.ts';
import { formatBytes } from '../format.ts';
import type { SystemReport } from './system-report.ts';

/** ONNX Runtime on this machine, or why it cannot be loaded. */
export type RuntimeReport =
  | {
      readonly version: string;
      readonly devices: readonly DeviceStatus[];
      /** Whether the CPU multiplies in bfloat16 (`engine.compute`); if not, what is missing. */
      readonly bfloat16: Pick<DeviceStatus, 'usable' | 'problem'>;
    }
  | { readonly problem: string };

/** The doctor's findings as lines for people. */
export function renderDoctor(system: SystemReport, runtime: RuntimeReport): string {
  const { cpu, memory, disk } = system;
  const features = cpu.features === null ? '' : `; ${cpu.features.join(' ')}`;
  return [
    ...table([
      ['Node.js', system.node],
      ['System', system.os],
      ['CPU', `${cpu.model}, ${cpu.logicalCores} logical cores${features}`],
      ['Memory', `${formatBytes(memory.freeBytes)} free of ${formatBytes(memory.totalBytes)}`],
      ['Disk', `${formatBytes(disk.freeBytes)} free at ${disk.folder}`],
      ['ONNX Runtime', 'version' in runtime ? runtime.version : `missing: ${runtime.problem}`],
    ]),
    ...('devices' in runtime
      ? [
          ...['', 'Devices', ...deviceTable(runtime.devices)],
          ...['', 'Modes of engine.compute that need more than a CPU'],
          ...table([['  bfloat16, bfloat16x2', usability(runtime.bfloat16)]]),
        ]
      : []),
  ].join('\n');
}

/** The same findings as one JSON object; devices by the names that `engine.device` takes. */
export function doctorJson(system: SystemReport, runtime: RuntimeReport): object {
  const onnxruntime =
    'version' in runtime
      ? {
          version: runtime.version,
          devices: runtime.devices.map(({ device, ...status }) => ({
            device: formatDevice(device),
            ...status,
          })),
          bfloat16: runtime.bfloat16,
        }
      : runtime;
  return { ...system, onnxruntime };
}

/** Whether a run can be started here at all. */
export function isHealthy(runtime: RuntimeReport): boolean {
  return 'devices' in runtime && runtime.devices.some(({ usable }) => usable);
}

function deviceTable(devices: readonly DeviceStatus[]): readonly string[] {
  return table(
    devices.map((status) => {
      const gpu = status.gpu === undefined ? '' : `${gpuText(status.gpu)}: `;
      return [`  ${formatDevice(status.device)}`, `${gpu}${usability(status)}`];
    }),
  );
}

/** `NVIDIA T4, 15.0 GiB, driver 580.65.06` */
function gpuText({ name, memoryBytes, driver }: NvidiaGpu): string {
  const memory = memoryBytes === null ? 'memory unknown' : formatBytes(memoryBytes);
  return `${name}, ${memory}, driver ${driver}`;
}

function usability({
  usable,
  problem,
  passedOver,
}: Pick<DeviceStatus, 'usable' | 'problem' | 'passedOver'>): string {
  if (!usable) return `not usable: ${problem}`;
  return passedOver === undefined ? 'usable' : `usable, but auto passes it over: ${passedOver}`;
}

function table(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => name.padEnd(width) + value);
}
