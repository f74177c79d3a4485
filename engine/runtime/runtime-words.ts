/** What ONNX Runtime's own words mean for people. */
const MEANINGS: readonly (readonly [RegExp, (found: RegExpExecArray) => string])[] = [
  [
    /([\w.+-]+\.(?:so|dll|dylib)[\d.]*)"?:? (?:cannot open shared object file|which is missing|cannot open)/i,
    ([, library]) => `the library ${library} is missing`,
  ],
  [/failed to load (?:shared )?library/i, () => 'one of its libraries is missing'],
  [
    /no supported adapters|failed to get a webgpu adapter/i,
    () => 'no GPU with such a driver was found',
  ],
  [
    /bad_alloc|out of memory|failed to allocate memory|cudaMalloc|alloc.*failed/i,
    () => 'there is not enough memory',
  ],
  [
    /no CUDA-capable device|driver version is insufficient/i,
    () => 'no NVIDIA GPU with a recent driver was found',
  ],
  // Our own.
  [/computes wrongly.*/i, ([words]) => words.replace(/^/, 'it ')],
];

/** The cause that ONNX Runtime's words name, as a clause for a sentence; undefined for others. */
export function meaningOf(words: string): string | undefined {
  for (const [pattern, describe] of MEANINGS) {
    const found = pattern.exec(words);
    if (found !== null) return describe(found);
  }
  return undefined;
}
