import type { ResolvedConfig } from '../config/schema.ts';
import { messageOf } from '../errors.ts';
import { openBaseModel } from '../models/base-model.ts';
import { deviceForModel } from '../models/device-for-model.ts';
import { memoryLimit } from '../plan/memory.ts';
import type { ProgressEvent } from '../plan/plan-reports.ts';
import { quantizationOf } from '../plan/run-model.ts';
import { requireBfloat16 } from '../runtime/bfloat16.ts';
import { type Device, formatDevice } from '../runtime/device.ts';
import type { OnUpload } from '../runtime/device-weights.ts';
import { autoDevice, chooseDevice, requireTensorCores } from '../runtime/devices.ts';
import { requireInt8 } from '../runtime/int8-self-test.ts';
import { memoryOf } from '../runtime/memory-of.ts';
import { type ComputeMode, isBfloat16Mode } from '../weights/compute-mode.ts';

/**
 * The device of a configuration, on which its model and products are computed as it says.
 *
 * @param onPassedOver as for `deviceForModel`
 * @param probe as for `chooseDevice`
 * @throws LorafaError `device.unavailable`, and where the model matters as `openBaseModel`
 */
export async function chooseComputeDevice(
  config: Pick<ResolvedConfig, 'engine' | 'model'>,
  onPassedOver?: (why: string) => void,
  probe?: string,
): Promise<Device> {
  const { device: setting, compute } = config.engine;
  const isAuto = setting === 'auto';
  const found = await (isAuto ? autoDevice(compute, probe) : chooseDevice(setting, probe));
  const location = config.model.base_model_name_or_path;
  const quantization = quantizationOf(config, found);
  const open = () => openBaseModel(location, { headersOnly: true, quantization });
  const device = await deviceForModel(setting, found, open, onPassedOver);
  // A CUDA device that auto takes has shown that it multiplies in the mode.
  const isTried = isAuto && device.kind === 'cuda';
  if (compute !== 'auto' && !isTried) await requireMode(compute, device, probe);
  // From here on its libraries are in the process, which tell how much memory is free.
  memoryOf(device, memoryLimit(config.engine, undefined));
  return device;
}

/**
 * Makes sure that a device computes in a mode.
 *
 * @throws LorafaError `device.unavailable`
 */
export async function requireMode(
  mode: ComputeMode,
  device: Device,
  probe?: string,
): Promise<void> {
  if (mode === 'int8') await requireInt8(device);
  if (mode === 'bfloat16' && device.kind === 'cuda') await requireTensorCores(device, probe);
  else if (isBfloat16Mode(mode)) requireBfloat16(device);
}

/**
 * What `auto` is on a CUDA device, where nothing is measured.
 *
 * @param onFallback told why it is not what it is to be had for
 */
export async function modeOfCuda(
  device: Device,
  onFallback: (why: string) => void,
): Promise<ComputeMode> {
  try {
    await requireTensorCores(device);
    return 'bfloat16';
  } catch (error) {
    onFallback(`engine.compute "auto" is float32 instead of bfloat16: ${messageOf(error)}`);
    return 'float32';
  }
}

/** Tells as progress how far the weights are on a device that has to get them. */
export function uploadProgress(device: Device, onEvent: (event: ProgressEvent) => void): OnUpload {
  const task = `copying weights to ${formatDevice(device)}`;
  return (done, total) => onEvent({ type: 'progress', task, done, total });
}
