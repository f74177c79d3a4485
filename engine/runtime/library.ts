import { readdirSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { LorafaError } from '../errors.ts';

/** How the library is called on each platform; on a Mac its version is in the name. */
const NAMES: { readonly [K in NodeJS.Platform]?: RegExp } = {
  linux: /^libonnxruntime\.so\.\d+$/,
  darwin: /^libonnxruntime\..*dylib$/,
  win32: /^onnxruntime\.dll$/,
};

/**
 * The path of ONNX Runtime's own library, which the package `onnxruntime-node` brings for every
 * platform.
 *
 * @throws LorafaError `device.unavailable` when the package or the library for this platform is missing
 */
export function onnxRuntimeLibrary(): string {
  const { platform, arch } = process;
  const folder = path.join(packageFolder(), 'bin', 'napi-v6', platform, arch);
  const name = namesIn(folder).find((entry) => NAMES[platform]?.test(entry));
  if (name !== undefined) return path.join(folder, name);
  throw new LorafaError(
    'device.unavailable',
    `ONNX Runtime for ${platform} ${arch} is not in ${folder}; install the extension for this platform again.`,
    { location: { file: folder } },
  );
}

/** How ONNX Runtime's CUDA provider is called, which lies beside the library where it was installed. */
const CUDA_PROVIDER =
  process.platform === 'win32'
    ? 'onnxruntime_providers_cuda.dll'
    : 'libonnxruntime_providers_cuda.so';

/** The path of ONNX Runtime's CUDA provider, which need not be there. Throws as {@link onnxRuntimeLibrary}. */
export function cudaProviderLibrary(): string {
  return path.join(path.dirname(onnxRuntimeLibrary()), CUDA_PROVIDER);
}

function packageFolder(): string {
  try {
    const manifest = module.createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
    return path.dirname(manifest);
  } catch (error) {
    throw new LorafaError(
      'device.unavailable',
      'The package onnxruntime-node is missing; install the extension again.',
      { cause: error },
    );
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
