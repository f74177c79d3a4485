import koffi, { type LibraryHandle } from 'koffi';

/** An address in the process's memory; 0 is null. */
export type Pointer = bigint;

/** What native code reads from or writes to: an address, or an array that JavaScript owns. */
export type Memory = Pointer | NodeJS.TypedArray | null;

type Argument = 'int' | 'memory' | 'path' | 'size' | 'text';
type ArgumentType<A extends Argument> = A extends 'int' | 'size'
  ? number
  : A extends 'path' | 'text'
    ? string
    : Memory;

/** How each kind of argument is declared in C. */
const ARGUMENTS: { readonly [A in Argument]: string } = {
  int: 'int',
  memory: 'void *',
  // `ORTCHAR_T`
  path: process.platform === 'win32' ? 'str16' : 'const char *',
  size: 'size_t',
  text: 'const char *',
};

/**
 * The functions that are used of ONNX Runtime's C API (`OrtApi` in onnxruntime_c_api.h): place in
 * the table, which no later version changes, and arguments. All but those that return a text return an
 * `OrtStatus *`, null for success; those whose name begins with Release return nothing.
 */
const FUNCTIONS = {
  CreateStatus: [0, 'int', 'text'],
  GetErrorMessage: [2, 'memory'],
  CreateEnv: [3, 'int', 'text', 'memory'],
  DisableTelemetryEvents: [6, 'memory'],
  CreateSessionFromArray: [8, 'memory', 'memory', 'size', 'memory', 'memory'],
  Run: [9, 'memory', 'memory', 'memory', 'memory', 'size', 'memory', 'size', 'memory'],
  CreateSessionOptions: [10, 'memory'],
  SetSessionExecutionMode: [13, 'memory', 'int'],
  DisableMemPattern: [17, 'memory'],
  DisableCpuMemArena: [19, 'memory'],
  SetSessionLogSeverityLevel: [22, 'memory', 'int'],
  SetSessionGraphOptimizationLevel: [23, 'memory', 'int'],
  SetIntraOpNumThreads: [24, 'memory', 'int'],
  CreateCustomOpDomain: [26, 'text', 'memory'],
  CustomOpDomain_Add: [27, 'memory', 'memory'],
  AddCustomOpDomain: [28, 'memory', 'memory'],
  CreateRunOptions: [39, 'memory'],
  CreateTensorAsOrtValue: [48, 'memory', 'memory', 'size', 'int', 'memory'],
  CreateTensorWithDataAsOrtValue: [
    49,
    'memory',
    'memory',
    'size',
    'memory',
    'size',
    'int',
    'memory',
  ],
  GetTensorMutableData: [51, 'memory', 'memory'],
  CreateMemoryInfo: [68, 'text', 'int', 'int', 'int', 'memory'],
  CreateCpuMemoryInfo: [69, 'int', 'int', 'memory'],
  KernelInfoGetAttribute_int64: [86, 'memory', 'text', 'memory'],
  KernelContext_GetInput: [90, 'memory', 'size', 'memory'],
  KernelContext_GetOutput: [91, 'memory', 'size', 'memory', 'size', 'memory'],
  ReleaseStatus: [93, 'memory'],
  ReleaseSession: [95, 'memory'],
  ReleaseValue: [96, 'memory'],
  ReleaseRunOptions: [97, 'memory'],
  ReleaseSessionOptions: [100, 'memory'],
  AddSessionConfigEntry: [130, 'memory', 'text', 'text'],
  CreateAllocator: [131, 'memory', 'memory', 'memory'],
  AddInitializer: [150, 'memory', 'text', 'memory'],
  ReleaseArenaCfg: [157, 'memory'],
  CreateArenaCfgV2: [164, 'memory', 'memory', 'size', 'memory'],
  AddRunConfigEntry: [165, 'memory', 'text', 'text'],
  SessionOptionsAppendExecutionProvider_CUDA_V2: [204, 'memory', 'memory'],
  CreateCUDAProviderOptions: [205, 'memory'],
  UpdateCUDAProviderOptions: [206, 'memory', 'memory', 'memory', 'size'],
  ReleaseCUDAProviderOptions: [208, 'memory'],
  SessionOptionsAppendExecutionProvider: [216, 'memory', 'text', 'memory', 'memory', 'size'],
  CreateAndRegisterAllocatorV2: [
    259,
    'memory',
    'text',
    'memory',
    'memory',
    'memory',
    'memory',
    'size',
  ],
  RegisterExecutionProviderLibrary: [301, 'memory', 'text', 'path'],
  GetTensorSizeInBytes: [318, 'memory', 'memory'],
  CopyTensors: [386, 'memory', 'memory', 'memory', 'memory', 'size'],
  Session_GetEpGraphAssignmentInfo: [407, 'memory', 'memory', 'memory'],
  EpAssignedSubgraph_GetEpName: [408, 'memory', 'memory'],
  EpAssignedSubgraph_GetNodes: [409, 'memory', 'memory', 'memory'],
  EpAssignedNode_GetOperatorType: [412, 'memory', 'memory'],
} as const satisfies Readonly<Record<string, readonly [number, ...Argument[]]>>;

type FunctionName = keyof typeof FUNCTIONS;
type Result<N extends FunctionName> = N extends 'GetErrorMessage'
  ? string
  : N extends `Release${string}`
    ? undefined
    : Pointer | null;
type Arguments<N extends FunctionName> = (typeof FUNCTIONS)[N] extends readonly [
  number,
  ...infer A extends readonly Argument[],
]
  ? { [I in keyof A]: ArgumentType<A[I]> }
  : never;

/** The C API as functions of JavaScript. */
export type CApi = {
  readonly [N in FunctionName]: (...parameters: Arguments<N>) => Result<N>;
} & {
  /** Of the library, e.g. `1.30.0`. */
  readonly version: string;
  /** Path of the library: ONNX Runtime looks for its providers beside it. */
  readonly file: string;
  /** Whoever has the functions has this too: without it, the library is unloaded under them. */
  readonly library: LibraryHandle;
};

/** The first version of the API that has all of {@link FUNCTIONS} and the operators that are used. */
const API_VERSION = 24;

const POINTER_BYTES = 8;

/** Loads the library and finds its functions. Throws Error when it is none, or is too old. */
export function openCApi(file: string): CApi {
  const library = koffi.load(file);
  const base = library.func('OrtGetApiBase', 'void *', [])() as Pointer;
  const [getApi, getVersion] = [0, 1].map((index) => addressAt(base, index));
  const version = koffi.call(getVersion, koffi.proto('const char *', [])) as string;
  const table = koffi.call(
    getApi,
    koffi.proto('void *', ['uint32_t']),
    API_VERSION,
  ) as Pointer | null;
  if (table === null) {
    throw new Error(
      `${file} is ONNX Runtime ${version}, which lacks version ${API_VERSION} of its API`,
    );
  }
  const entries = (Object.keys(FUNCTIONS) as FunctionName[]).map((name) => {
    const [index, ...parameters] = FUNCTIONS[name];
    const type = koffi.proto(
      resultType(name),
      parameters.map((argument) => ARGUMENTS[argument]),
    );
    return [name, koffi.decode(addressAt(table, index), type)] as const;
  });
  return { ...Object.fromEntries(entries), version, file, library } as unknown as CApi;
}

function resultType(name: FunctionName): string {
  if (name === 'GetErrorMessage') return 'const char *';
  return name.startsWith('Release') ? 'void' : 'void *';
}

function addressAt(table: Pointer, index: number): Pointer {
  return koffi.decode(table, index * POINTER_BYTES, 'void *') as Pointer;
}
