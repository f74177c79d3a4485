import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LorafaError, wordsOf } from '../errors.ts';
import { withoutToken } from '../hub/hub-token.ts';
import { CPU, type Device, formatDevice, parseDevice } from './device.ts';
import { deviceProblem } from './device-problem.ts';
import { selfTest } from './device-self-test.ts';
import { bufferLimitIn } from './largest-buffer.ts';
import { type NvidiaGpu, nvidiaGpus } from './nvidia-smi.ts';

/** Whether a device can be used here, and if not, what is missing. */
export interface DeviceStatus {
  readonly device: Device;
  readonly usable: boolean;
  /** One sentence: the missing piece and how to get it. Absent where the device is usable. */
  readonly problem?: string;
  /** A clause: why `auto` passes it over all the same. */
  readonly passedOver?: string;
  /** What its libraries themselves said, for logs. */
  readonly detail?: string;
  /** The GPU of a CUDA device, where its driver tells. */
  readonly gpu?: NvidiaGpu;
}

const PROBE_TIMEOUT_MS = 60_000;

/** The bundled {@link file://./probe-device.ts}, which the build puts beside every entry point. */
const PROBE_SCRIPT = fileURLToPath(new URL('./probe-device.js', import.meta.url));

/**
 * Tries a device in a throw-away process.
 *
 * @param script the built probe; another one only in tests
 */
export async function probeDevice(device: Device, script = PROBE_SCRIPT): Promise<DeviceStatus> {
  const trial = device.kind === 'cpu' ? await tryHere(device) : await tryInChild(device, script);
  const { largestBuffer, ...found } = trial;
  if (found.detail !== undefined) {
    return { device, usable: false, problem: deviceProblem(device, found.detail), ...found };
  }
  const limited = largestBuffer === undefined ? device : { ...device, largestBuffer };
  return { device: limited, usable: true, ...found };
}

/** The state of every device, for a doctor's report: of all GPUs that NVIDIA's driver names, or of the first one. */
export async function probeDevices(): Promise<DeviceStatus[]> {
  const gpus = (await nvidiaGpus()) ?? [];
  const cuda = gpus.length === 0 ? ['cuda:0'] : gpus.map(({ index }) => `cuda:${index}`);
  const devices = ['cpu', ...cuda, 'webgpu'].map(parseDevice);
  return Promise.all(
    devices.map(async (device) => {
      const gpu = gpus.find(({ index }) => device.kind === 'cuda' && index === device.index);
      return { ...(await probeDevice(device)), ...(gpu && { gpu }) };
    }),
  );
}

/** What `auto` takes before the CPU, the best first. */
const ACCELERATORS: readonly Device[] = [
  { kind: 'cuda', index: 0 },
  { kind: 'webgpu', index: 0 },
];

/**
 * The device for the setting `engine.device`. `auto` takes CUDA where it works, or else WebGPU where that is
 * faster than the CPU, or else the CPU; a device that was asked for by name is never replaced by another.
 *
 * @throws LorafaError `device.unavailable` saying what is missing
 */
export async function chooseDevice(setting: string, script = PROBE_SCRIPT): Promise<Device> {
  if (setting === 'auto') {
    for (const accelerator of ACCELERATORS) {
      const { device, usable, passedOver } = await probeDevice(accelerator, script);
      if (usable && passedOver === undefined) return device;
    }
    return CPU;
  }
  const { device, problem, detail } = await probeDevice(parseDevice(setting), script);
  if (problem !== undefined) {
    throw new LorafaError('device.unavailable', problem, detail === undefined ? {} : { detail });
  }
  return device;
}

/** What came of trying a device; `detail` where it does not work. */
type Trial = Pick<DeviceStatus, 'detail' | 'passedOver'> & Pick<Device, 'largestBuffer'>;

/**
 * Makes sure that a CUDA device multiplies bfloat16 numbers, in a throw-away process.
 *
 * @param script as in {@link probeDevice}
 * @throws LorafaError `device.unavailable`
 */
export async function requireTensorCores(device: Device, script = PROBE_SCRIPT): Promise<void> {
  const { detail } = await tryInChild(device, script, 'bfloat16');
  if (detail === undefined) return;
  throw new LorafaError(
    'device.unavailable',
    `${formatDevice(device)} does not multiply in bfloat16, for which it takes a GPU of NVIDIA's Ampere or later (${detail}); set engine.compute to "float32".`,
    { detail },
  );
}

async function tryHere(device: Device): Promise<Trial> {
  try {
    await selfTest(device);
    return {};
  } catch (error) {
    return { detail: wordsOf(error) };
  }
}

function tryInChild(
  device: Device,
  script: string,
  ...what: readonly 'bfloat16'[]
): Promise<Trial> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, formatDevice(device), ...what],
      { timeout: PROBE_TIMEOUT_MS, env: withoutToken() },
      (error, stdout, stderr) => {
        if (error === null) {
          const largestBuffer = bufferLimitIn(stderr);
          return resolve({
            ...(stdout !== '' && { passedOver: stdout }),
            ...(largestBuffer !== undefined && { largestBuffer }),
          });
        }
        const end = error.signal === undefined ? error.message : `ended by ${error.signal}`;
        resolve({ detail: lastLine(stderr) || end });
      },
    );
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
