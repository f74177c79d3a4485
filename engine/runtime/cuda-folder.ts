import { existsSync } from 'node:fs';
import path from 'node:path';
import { defaultCacheFolder } from '../cache-folder.ts';
import { expandHome } from '../hub/hub-settings.ts';

/**
 * Names a folder that has ONNX Runtime's library, its CUDA provider and NVIDIA's libraries side by side: the
 * user's own, in the place of the one that `lorafa cuda setup` makes.
 */
export const CUDA_FOLDER_VARIABLE = 'LORAFA_CUDA_FOLDER';

/** ONNX Runtime's CUDA provider, and the library by which ONNX Runtime opens providers. */
export const CUDA_PROVIDER_FILES =
  process.platform === 'win32'
    ? (['onnxruntime_providers_cuda.dll', 'onnxruntime_providers_shared.dll'] as const)
    : (['libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so'] as const);

/**
 * NVIDIA's libraries that ONNX Runtime's CUDA provider is linked to (1.30.0 on Linux, by `readelf -d`), each
 * after those that it needs itself. The driver's own, libcuda, comes with the driver and from nowhere else.
 */
export const NVIDIA_LIBRARIES = [
  'libcudart.so.13',
  'libcublasLt.so.13',
  'libcublas.so.13',
  'libcurand.so.10',
] as const;

/** The folder that is the user's choice, whether or not it is there. */
export function chosenCudaFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folder = env[CUDA_FOLDER_VARIABLE]?.trim();
  return folder ? path.resolve(expandHome(folder)) : undefined;
}

/** Where `lorafa cuda setup` puts what a version of ONNX Runtime needs. */
export function madeCudaFolder(version: string): string {
  return path.join(defaultCacheFolder(), 'cuda', version);
}

/**
 * The folder from which ONNX Runtime is opened so that it finds its CUDA provider; undefined where there is
 * none, so that ONNX Runtime is the one of the package.
 *
 * @param version of the package's ONNX Runtime
 */
export function cudaFolder(version: string): string | undefined {
  const folder = chosenCudaFolder() ?? madeCudaFolder(version);
  return existsSync(path.join(folder, CUDA_PROVIDER_FILES[0])) ? folder : undefined;
}
