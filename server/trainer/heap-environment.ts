/** More than any machine has. */
const NEVER = String(2 ** 40);

/**
 * Environment variables of a process that trains. The values of a step are large and each of them
 * lives for a moment: glibc, which is the C library of most Linux systems, gives their memory back
 * to the system again and again, which then has to clear the same pages for the next step (a sixth
 * of its time at 512 tokens). So blocks of up to 32 MiB, the largest threshold that glibc takes,
 * come from its heap, and the heap does not shrink; there is one heap for all threads, since each
 * would keep its own. Other C libraries ignore the variables; those that the user has set win.
 *
 * The peak would be a tenth higher than what is alive, at 2,048 tokens, with the C library's cache of
 * small pieces for each thread: what aligning a block leaves over goes there and does not join its
 * neighbours, so that the place of a block is too short for the next one of its size.
 *
 * Source: `M_MMAP_THRESHOLD`, `M_TRIM_THRESHOLD` and `M_ARENA_MAX` in mallopt(3), and "Memory
 * Allocation Tunables" in glibc's manual.
 */
export const HEAP_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_MMAP_THRESHOLD_: String(32 * 2 ** 20),
  MALLOC_TRIM_THRESHOLD_: NEVER,
  MALLOC_ARENA_MAX: '1',
  GLIBC_TUNABLES: 'glibc.malloc.tcache_count=0',
};

/** Says which of the variables a process has from us. */
const GIVEN = 'LORAFA_HEAP_VARIABLES';

/** The environment of a process that computes: `environment`, and what it lacks of {@link HEAP_ENVIRONMENT}. */
export function withHeapEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const given = Object.keys(HEAP_ENVIRONMENT).filter((name) => environment[name] === undefined);
  return { ...HEAP_ENVIRONMENT, ...environment, [GIVEN]: given.join(' ') };
}

/**
 * Takes the variables out of this process's environment again: the C library has read them, and what this
 * process starts in turn, such as Python, has a heap to its own liking.
 *
 * @returns whether this process was started with {@link withHeapEnvironment}
 */
export function takeHeapEnvironment(): boolean {
  const given = process.env[GIVEN];
  if (given === undefined) return false;
  for (const name of [...given.split(' '), GIVEN]) delete process.env[name];
  return true;
}
