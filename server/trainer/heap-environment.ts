/** More than any machine has. */
const NEVER = String(2 ** 40);

/**
 * Environment variables of a process that trains. The values of a step are large and each of them
 * lives for a moment: glibc, which is the C library of most Linux systems, gives their memory back
 * to the system again and again, which then has to clear the same pages for the next step (a sixth
 * of its time at 512 tokens). So blocks of up to 32 MiB, the largest threshold that glibc takes,
 * come from its heap, and the heap does not shrink; there is one heap for all threads, since each
 * would keep its own. The peak stays what it is. Other C libraries ignore the variables; those that
 * the user has set win.
 *
 * Source: `M_MMAP_THRESHOLD`, `M_TRIM_THRESHOLD` and `M_ARENA_MAX` in mallopt(3). The first line of
 * `cli/main.ts` has the same values.
 */
export const HEAP_ENVIRONMENT: Readonly<Record<string, string>> = {
  MALLOC_MMAP_THRESHOLD_: String(32 * 2 ** 20),
  MALLOC_TRIM_THRESHOLD_: NEVER,
  MALLOC_ARENA_MAX: '1',
};
