import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LorafaError, wordsOf } from '../errors.ts';
import { withoutToken } from '../hub/hub-token.ts';
import { CPU, type Device, formatDevice, parseDevice } from './device.ts';
import { selfTest } from './device-self-test.ts';
import { meaningOf } from './runtime-words.ts';

/** Whether a device can be used here, and if not, what is missing. */
export interface DeviceStatus {
  readonly device: Device;
  readonly usable: boolean;
  /** One sentence: the missing piece and how to get it. Absent where the device is usable. */
  readonly problem?: string;
  /** What its libraries themselves said, for logs. */
  readonly detail?: string;
}

const PROBE_TIMEOUT_MS = 60_000;

/** The bundled {@link file://./probe-device.ts}, which the build puts beside every entry point. */
const PROBE_SCRIPT = fileURLToPath(new URL('./probe-device.js', import.meta.url));

/** What to do about a device that does not work. */
const WAY_OUT: { readonly [K in Device['kind']]: string } = {
  cpu: 'ONNX Runtime itself does not run here; install the package again',
  cuda: 'CUDA needs an NVIDIA GPU with a recent driver, CUDA 12 and cuDNN 9 in the library path, and ONNX Runtime\'s CUDA libraries, which have to be installed beside it (README.md, "CUDA")',
  webgpu: 'WebGPU needs a GPU with a Vulkan, Metal or Direct3D 12 driver',
};

/**
 * Tries a device in a throw-away process.
 *
 * @param script the built probe; another one only in tests
 */
export async function probeDevice(device: Device, script = PROBE_SCRIPT): Promise<DeviceStatus> {
  const detail = device.kind === 'cpu' ? await tryHere(device) : await tryInChild(device, script);
  if (detail === undefined) return { device, usable: true };
  const meaning = meaningOf(detail);
  const why = meaning === undefined ? '' : ` (${meaning})`;
  const problem = `${formatDevice(device)} cannot be used${why}: ${WAY_OUT[device.kind]}.`;
  return { device, usable: false, problem, detail };
}

/** The state of every kind of device, for a doctor's report. */
export async function probeDevices(): Promise<DeviceStatus[]> {
  return Promise.all(['cpu', 'cuda', 'webgpu'].map((name) => probeDevice(parseDevice(name))));
}

/**
 * The device for the setting `engine.device`. `auto` takes CUDA where it works and the CPU
 * elsewhere; a device that was asked for by name is never replaced by another.
 *
 * @throws LorafaError `device.unavailable` saying what is missing
 */
export async function chooseDevice(setting: string, script = PROBE_SCRIPT): Promise<Device> {
  if (setting === 'auto') {
    const cuda = await probeDevice({ kind: 'cuda', index: 0 }, script);
    return cuda.usable ? cuda.device : CPU;
  }
  const device = parseDevice(setting);
  const { problem, detail } = await probeDevice(device, script);
  if (problem !== undefined) {
    throw new LorafaError('device.unavailable', problem, detail === undefined ? {} : { detail });
  }
  return device;
}

async function tryHere(device: Device): Promise<string | undefined> {
  try {
    await selfTest(device);
    return undefined;
  } catch (error) {
    return wordsOf(error);
  }
}

function tryInChild(device: Device, script: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, formatDevice(device)],
      { timeout: PROBE_TIMEOUT_MS, env: withoutToken() },
      (error, _stdout, stderr) => {
        resolve(error === null ? undefined : lastLine(stderr) || error.message);
      },
    );
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
