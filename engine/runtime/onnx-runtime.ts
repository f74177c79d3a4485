import { isMainThread } from 'node:worker_threads';
import { LorafaError, messageOf } from '../errors.ts';
import { type CApi, openCApi, type Pointer } from './c-api.ts';
import type { Device } from './device.ts';
import { bundledLibrary, libraryForCuda, type OnnxRuntimeLibrary } from './library.ts';
import { outOfMemory } from './out-of-memory.ts';
import { meaningOf } from './runtime-words.ts';
import { requireWholeLibrary } from './whole-library.ts';

/*
 * The only place that loads ONNX Runtime. Its official builds report to their maker unless told not
 * to: they keep a device id and a store of events in the user's cache folder and send them over
 * HTTPS (https://github.com/microsoft/onnxruntime/blob/v1.30.0/docs/Privacy.md). The variable must be
 * set before the library is there. What it was before does not matter, since nobody's data leaves the
 * machine.
 */

// A thread has a copy of the environment, which native code does not see.
if (!isMainThread) {
  throw new LorafaError('internal.unexpected', 'ONNX Runtime was loaded outside the main thread.');
}
process.env['ORT_DISABLE_TELEMETRY'] = '1';

const opened = open();

/** ONNX Runtime's C API; failures come as its own status, see {@link check}. */
export const ort: CApi = opened.api;

/**
 * Why ONNX Runtime is not the one that was chosen for CUDA, in words for `runtime-words.ts`: the CPU computes
 * with the package's own all the same. Undefined where it is, or none was chosen.
 */
export const refusedForCuda: string | undefined = opened.refused;

/** `ORT_LOGGING_LEVEL_ERROR` */
export const LOG_ERRORS = 3;

/** The one environment of this process, which all sessions share. */
export const environment: Pointer = create((out) => ort.CreateEnv(LOG_ERRORS, 'lorafa', out));
check(ort.DisableTelemetryEvents(environment));

/** Memory that JavaScript owns, for {@link CApi.CreateTensorWithDataAsOrtValue}. */
export const cpuMemory: Pointer = create((out) => ort.CreateCpuMemoryInfo(0, 0, out));

/**
 * Throws LorafaError `device.failed` unless a call succeeded: what it means for people, with ONNX
 * Runtime's own words as its detail.
 *
 * @param device whose memory the call takes, where it takes any: what is missing of it is `device.out_of_memory`
 */
export function check(
  status: Pointer | null,
  what = 'ONNX Runtime could not go on',
  device?: Device,
): void {
  if (status === null) return;
  const detail = ort.GetErrorMessage(status);
  ort.ReleaseStatus(status);
  const ended = device && outOfMemory(device, detail);
  if (ended !== undefined) throw ended;
  const meaning = meaningOf(detail);
  const why = meaning === undefined ? '' : `, because ${meaning}`;
  const wayOut = 'try smaller batches or shorter rows, or another engine.device';
  throw new LorafaError('device.failed', `${what}${why}; ${wayOut}.`, { detail });
}

/** What a call makes. Throws as {@link check} does. */
export function create(
  call: (out: BigUint64Array) => Pointer | null,
  what?: string,
  device?: Device,
): Pointer {
  const out = new BigUint64Array(1);
  check(call(out), what, device);
  return out[0]!;
}

function open(): { readonly api: CApi; readonly refused?: string } {
  const chosen = libraryForCuda();
  if (chosen === undefined) return { api: openBundled() };
  const found = openChosen(chosen);
  return typeof found === 'string' ? { api: openBundled(), refused: found } : { api: found };
}

/** @returns why it cannot be used, where it cannot */
function openChosen({ file, version }: OnnxRuntimeLibrary): CApi | string {
  try {
    requireWholeLibrary(file);
    const api = openCApi(file);
    if (api.version === version) return api;
    return `CUDA folder: ${file} is ONNX Runtime ${api.version}, and this needs ${version}`;
  } catch (error) {
    return `CUDA folder: ${messageOf(error)}`;
  }
}

function openBundled(): CApi {
  const { file } = bundledLibrary();
  try {
    return openCApi(file);
  } catch (error) {
    throw new LorafaError(
      'device.unavailable',
      `ONNX Runtime could not be loaded from ${file} (${messageOf(error)}); install the extension again.`,
      { location: { file }, cause: error },
    );
  }
}
