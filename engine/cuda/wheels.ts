import { CUDA_PROVIDER_FILES } from '../runtime/cuda-folder.ts';

/** A wheel of the Python package index, of which some libraries are used; nothing of it is installed or run. */
export interface Wheel {
  /** As `pip download` takes it. */
  readonly name: string;
  readonly version: string;
  /** Of the file, in hex. */
  readonly sha256: string;
  /** Tags of the file's name. */
  readonly platform: string;
  /** The Python that it is for, where it is not for all. */
  readonly python?: string;
  /** Bytes of the file, and of the libraries that are taken out of it. */
  readonly bytes: number;
  readonly unpackedBytes: number;
  /** Names of these libraries. */
  readonly libraries: readonly string[];
}

/** The version of ONNX Runtime that {@link WHEELS} are for. */
export const WHEELS_FOR = '1.30.0';

/** What ONNX Runtime's CUDA provider is and needs, on Linux x64. */
export const WHEELS = [
  {
    name: 'onnxruntime-gpu',
    version: WHEELS_FOR,
    sha256: '4fbf0c5d7b5fb99266c2e8a802e3e64af68bdc383e0f3c7349b985f1087eedaa',
    platform: 'manylinux_2_28_x86_64',
    python: '3.11',
    bytes: 246_658_419,
    unpackedBytes: 272_064_536,
    libraries: CUDA_PROVIDER_FILES,
  },
  // Those of one release, CUDA 13.2: any driver for CUDA 13 runs them.
  {
    name: 'nvidia-cuda-runtime',
    version: '13.2.86',
    sha256: '3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0',
    platform: 'manylinux2014_x86_64',
    bytes: 2_323_576,
    unpackedBytes: 773_920,
    libraries: ['libcudart.so.13'],
  },
  {
    name: 'nvidia-curand',
    version: '10.4.2.66',
    sha256: '9bb3796a2f6223454b2e326e3d7572c1500cfa4d629de827676b4eeecd30ab0c',
    platform: 'manylinux_2_27_x86_64',
    bytes: 59_954_122,
    unpackedBytes: 133_931_224,
    libraries: ['libcurand.so.10'],
  },
  {
    name: 'nvidia-cublas',
    version: '13.4.1.3',
    sha256: 'a5917cb642cfb07f4a0231ee16aec7e2e0357d8cb8b1b78a0c9c68dba3e6afc7',
    platform: 'manylinux_2_27_x86_64',
    bytes: 404_870_805,
    unpackedBytes: 562_459_840,
    libraries: ['libcublasLt.so.13', 'libcublas.so.13'],
  },
] as const satisfies readonly Wheel[];
