/** What keeps a device from computing. */
export interface Cause {
  /** A clause for a sentence. */
  readonly means: string;
  /** What to do about it, where that is not the same for all that may be wrong with a device. */
  readonly wayOut?: string;
}

const SET_UP =
  'run the command "LoRA-FA: Set Up CUDA" or `lorafa cuda setup`, which finds or fetches what is missing';

/** The driver that CUDA 13 asks for: docs.nvidia.com/cuda/cuda-toolkit-release-notes, "CUDA Driver". */
const DRIVER = "NVIDIA's driver of version 580 or later";

const NO_MEMORY = 'there is not enough memory';

/** What ONNX Runtime's own words, those of CUDA and of the system's loader mean for people. */
const CAUSES: readonly (readonly [RegExp, (found: RegExpExecArray) => Cause])[] = [
  // Our own.
  [/^CUDA folder: (.*)/, ([, problem]) => ({ means: problem!, wayOut: SET_UP })],
  [/\S.* is cut off: .*/, ([problem]) => ({ means: problem, wayOut: SET_UP })],
  [
    /no answer within [\d.]+ seconds/,
    ([words]) => ({
      means: `trying it gave ${words}`,
      wayOut: 'try again when the computer is less busy, or restart it where its GPU hangs',
    }),
  ],
  [/computes wrongly.*/i, ([words]) => ({ means: `it ${words}` })],
  [
    /\b((?:libcuda\.so|nvcuda\.dll)[\d.]*)"?:? cannot open/i,
    ([, library]) => ({
      means: `${library}, which is a part of NVIDIA's driver, is missing`,
      wayOut: `install ${DRIVER}`,
    }),
  ],
  [
    /\b(lib(?:cu(?:dart|blas|blasLt|rand|dnn|fft)|nv\w+|onnxruntime_providers)[\w.]*)"?:? cannot open/i,
    ([, library]) => ({ means: `the library ${library} is missing`, wayOut: SET_UP }),
  ],
  [/cuDNN is not available/i, () => ({ means: 'the library cuDNN is missing', wayOut: SET_UP })],
  [
    /undefined symbol: [^\s,]+|version \S+ not found \(required by .*?\)/i,
    ([words]) => ({
      means: `its libraries are of versions that do not fit together (${words})`,
      wayOut: 'run `lorafa cuda setup --download`, which fetches those that do',
    }),
  ],
  [
    /driver version is insufficient/i,
    () => ({ means: "NVIDIA's driver is too old for CUDA 13", wayOut: `install ${DRIVER}` }),
  ],
  [
    /driver\/library version mismatch|unsupported display driver/i,
    () => ({
      means: "NVIDIA's driver was updated while the old one is still in use",
      wayOut: 'restart the computer',
    }),
  ],
  [
    /no CUDA-capable device/i,
    () => ({
      means: 'no NVIDIA GPU was found',
      wayOut:
        'see whether `nvidia-smi` lists one; the variable CUDA_VISIBLE_DEVICES, or a container that was not given it, may hide it',
    }),
  ],
  [
    /invalid device (?:ordinal|ID: \d+, must be)/i,
    () => ({
      means: 'there is no NVIDIA GPU of this number',
      wayOut: '`nvidia-smi` lists those that there are, of which the first is cuda:0',
    }),
  ],
  [
    /busy or unavailable/i,
    () => ({
      means: 'another program has the GPU for itself',
      wayOut: 'end that program, which `nvidia-smi` lists, or wait for it',
    }),
  ],
  [
    /no kernel image is available/i,
    () => ({
      means: 'the GPU is older than what CUDA 13 computes on',
      wayOut: 'CUDA 13 asks for compute capability 7.5 or later (GeForce RTX 20, T4)',
    }),
  ],
  [
    // No other memory is taken from such an arena here.
    /CUDA.*out of memory|cudaMalloc|BFCArena.*failed to allocate/i,
    () => ({
      means: NO_MEMORY,
      wayOut: 'other programs may have the memory of the GPU: `nvidia-smi` lists them',
    }),
  ],
  [
    /([\w.+-]+\.(?:so|dll|dylib)[\d.]*)"?:? (?:cannot open shared object file|which is missing|cannot open)/i,
    ([, library]) => ({ means: `the library ${library} is missing` }),
  ],
  [/failed to load (?:shared )?library/i, () => ({ means: 'one of its libraries is missing' })],
  [
    /no supported adapters|failed to get a webgpu adapter/i,
    () => ({ means: 'no GPU with such a driver was found' }),
  ],
  [
    /bad_alloc|out of memory|failed to allocate memory|alloc.*failed/i,
    () => ({ means: NO_MEMORY }),
  ],
  [
    /ended by (SIG\w+)/,
    ([, signal]) => ({ means: `one of its libraries ended the process that tried it (${signal})` }),
  ],
];

/** The cause that ONNX Runtime's words name; undefined for others. */
export function causeOf(words: string): Cause | undefined {
  for (const [pattern, describe] of CAUSES) {
    const found = pattern.exec(words);
    if (found !== null) return describe(found);
  }
  return undefined;
}

/** The same as a clause for a sentence. */
export function meaningOf(words: string): string | undefined {
  return causeOf(words)?.means;
}

/** Whether the words say that memory is at its end. */
export function isOutOfMemory(words: string): boolean {
  return meaningOf(words) === NO_MEMORY;
}
