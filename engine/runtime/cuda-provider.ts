import { existsSync } from 'node:fs';
import path from 'node:path';
import { LorafaError, messageOf } from '../errors.ts';
import { CUDA_PROVIDER_FILES, chosenCudaFolder } from './cuda-folder.ts';
import type { Device } from './device.ts';
import { deviceProblem } from './device-problem.ts';
import { lackingForCuda } from './library.ts';
import { openNvidiaLibraries } from './nvidia-libraries.ts';
import { ort, refusedForCuda } from './onnx-runtime.ts';
import { requireWholeLibrary } from './whole-library.ts';

/**
 * Makes sure that ONNX Runtime can open its CUDA provider, which it looks for beside itself.
 *
 * @param device for the sentence
 * @returns the path of the provider
 * @throws LorafaError `device.unavailable` saying what is missing
 */
export function cudaProvider(device: Device): string {
  // Numbers GPUs as `nvidia-smi` does, and not the fastest one first. CUDA reads it when it begins.
  process.env['CUDA_DEVICE_ORDER'] ??= 'PCI_BUS_ID';
  const folder = path.dirname(ort.file);
  const words = refusedForCuda ?? problemWith(folder);
  if (words === undefined) return path.join(folder, CUDA_PROVIDER_FILES[0]);
  throw new LorafaError('device.unavailable', deviceProblem(device, words), { detail: words });
}

/** In words that `runtime-words.ts` knows. */
function problemWith(folder: string): string | undefined {
  if (CUDA_PROVIDER_FILES.some((name) => !existsSync(path.join(folder, name)))) {
    const chosen = chosenCudaFolder();
    return chosen === undefined
      ? "CUDA folder: ONNX Runtime's CUDA libraries are not installed"
      : `CUDA folder: ${chosen}, which was chosen for CUDA, ${lackingForCuda(chosen) ?? 'cannot be read'}`;
  }
  try {
    for (const name of CUDA_PROVIDER_FILES) requireWholeLibrary(path.join(folder, name));
    openNvidiaLibraries(folder);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
