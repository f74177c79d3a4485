import { readdirSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { LorafaError } from '../errors.ts';
import { CUDA_PROVIDER_FILES, cudaFolder } from './cuda-folder.ts';

/** How the library is called on each platform; on a Mac its version is in the name. */
const NAMES: { readonly [K in NodeJS.Platform]?: RegExp } = {
  linux: /^libonnxruntime\.so\.\d+$/,
  darwin: /^libonnxruntime\..*dylib$/,
  win32: /^onnxruntime\.dll$/,
};

/** ONNX Runtime as a package or a folder has it. */
export interface OnnxRuntimeLibrary {
  readonly file: string;
  /** That it has to have, e.g. `1.30.0`: providers, operators and the C API change with it. */
  readonly version: string;
}

/**
 * ONNX Runtime's own library, which the package `onnxruntime-node` brings for every platform.
 *
 * @throws LorafaError `device.unavailable` when the package or the library for this platform is missing
 */
export function bundledLibrary(): OnnxRuntimeLibrary {
  const { platform, arch } = process;
  const { root, version } = runtimePackage();
  const folder = path.join(root, 'bin', 'napi-v6', platform, arch);
  const file = libraryIn(folder);
  if (file !== undefined) return { file, version };
  throw new LorafaError(
    'device.unavailable',
    `ONNX Runtime for ${platform} ${arch} is not in ${folder}; install the extension for this platform again.`,
    { location: { file: folder } },
  );
}

/**
 * ONNX Runtime's library as it lies beside a CUDA provider, from which it has to be opened to find that; undefined
 * where none was set up. Throws as {@link bundledLibrary}.
 */
export function libraryForCuda(): OnnxRuntimeLibrary | undefined {
  const { version } = runtimePackage();
  const folder = cudaFolder(version);
  const file = folder === undefined ? undefined : libraryIn(folder);
  return file === undefined ? undefined : { file, version };
}

/** What of ONNX Runtime a folder that was chosen for CUDA lacks, as the end of a sentence; undefined for nothing. */
export function lackingForCuda(folder: string): string | undefined {
  const names = namesIn(folder);
  if (names.length === 0) return 'is not a folder with libraries';
  const provider = CUDA_PROVIDER_FILES.find((name) => !names.includes(name));
  if (provider !== undefined) return `lacks ${provider}`;
  return libraryIn(folder) === undefined ? "lacks ONNX Runtime's own library" : undefined;
}

function libraryIn(folder: string): string | undefined {
  const name = namesIn(folder).find((entry) => NAMES[process.platform]?.test(entry));
  return name === undefined ? undefined : path.join(folder, name);
}

interface RuntimePackage {
  readonly root: string;
  readonly version: string;
}

function runtimePackage(): RuntimePackage {
  const require = module.createRequire(import.meta.url);
  try {
    const manifest = require.resolve('onnxruntime-node/package.json');
    const { version } = require(manifest) as { readonly version: string };
    return { root: path.dirname(manifest), version };
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
