import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LorafaError, wordsOf } from '../errors.ts';
import { withoutToken } from '../hub/hub-token.ts';
import { type ComputeMode, MODES_OF_DEVICES } from '../weights/compute-mode.ts';
import { CPU, type Device, formatDevice, parseDevice } from './device.ts';
import { deviceProblem } from './device-problem.ts';
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

/** Loading libraries and compiling for a device take seconds, and more on a busy machine. */
const PROBE_TIMEOUT_MS = 60_000;

/** The bundled {@link file://./probe-device.ts}, which the build puts beside every entry point. */
const PROBE_SCRIPT = fileURLToPath(new URL('./probe-device.js', import.meta.url));

/**
 * Tries a device in a throw-away process.
 *
 * @param script the built probe; another one only in tests
 * @param timeoutMs after so long without an answer it counts as unusable; less only in tests
 */
export async function probeDevice(
  device: Device,
  script = PROBE_SCRIPT,
  timeoutMs = PROBE_TIMEOUT_MS,
): Promise<DeviceStatus> {
  const trial =
    device.kind === 'cpu' ? await tryHere(device) : await tryInChild(device, script, { timeoutMs });
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

/** What `auto` takes before the CPU where it works, the best first. */
const ACCELERATORS: readonly Device[] = [
  { kind: 'cuda', index: 0 },
  { kind: 'webgpu', index: 0 },
];

/**
 * What `auto` takes: CUDA where it works, or else WebGPU where that is faster than the CPU, or else the CPU; of these
 * the first that multiplies in a mode.
 *
 * @param compute `engine.compute`: there is something for `auto` and `float32` on all of them
 */
export async function autoDevice(
  compute: ComputeMode | 'auto' = 'auto',
  script = PROBE_SCRIPT,
): Promise<Device> {
  for (const accelerator of ACCELERATORS) {
    if (compute !== 'auto' && !MODES_OF_DEVICES[accelerator.kind].includes(compute)) continue;
    const { device, usable, passedOver } = await probeDevice(accelerator, script);
    if (!usable || passedOver !== undefined) continue;
    if (compute !== 'bfloat16' || (await tensorCoresProblem(device, script)) === undefined) {
      return device;
    }
  }
  return CPU;
}

/**
 * The device for the setting `engine.device`; one that was asked for by name is never replaced by another.
 *
 * @throws LorafaError `device.unavailable` saying what is missing
 */
export async function chooseDevice(setting: string, script = PROBE_SCRIPT): Promise<Device> {
  if (setting === 'auto') return autoDevice('auto', script);
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
  const detail = await tensorCoresProblem(device, script);
  if (detail === undefined) return;
  throw new LorafaError(
    'device.unavailable',
    `${formatDevice(device)} does not multiply in bfloat16, for which it takes a GPU of NVIDIA's Ampere or later (${detail}); set engine.compute to "float32".`,
    { detail },
  );
}

/** What went wrong with a product of bfloat16 numbers on a CUDA device; undefined where it is right. */
async function tensorCoresProblem(device: Device, script: string): Promise<string | undefined> {
  return (await tryInChild(device, script, { what: 'bfloat16' })).detail;
}

async function tryHere(device: Device): Promise<Trial> {
  try {
    // Who only asks for other devices needs no ONNX Runtime in the process.
    const { selfTest } = await import('./device-self-test.ts');
    await selfTest(device);
    return {};
  } catch (error) {
    return { detail: wordsOf(error) };
  }
}

function tryInChild(
  device: Device,
  script: string,
  { what, timeoutMs = PROBE_TIMEOUT_MS }: { what?: 'bfloat16'; timeoutMs?: number },
): Promise<Trial> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, formatDevice(device), ...(what === undefined ? [] : [what])],
      { timeout: timeoutMs, killSignal: 'SIGKILL', env: withoutToken() },
      (error, stdout, stderr) => {
        if (error === null) {
          const largestBuffer = bufferLimitIn(stderr);
          return resolve({
            ...(stdout !== '' && { passedOver: stdout }),
            ...(largestBuffer !== undefined && { largestBuffer }),
          });
        }
        if (error.killed === true) {
          return resolve({ detail: `no answer within ${timeoutMs / 1000} seconds` });
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
