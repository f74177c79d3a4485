/** Times that a thread looks for work before it sleeps: some milliseconds, longer than any two products of a token lie apart. */
const LOOKS = 100_000;

let spins = false;
let isLoaded = false;

/**
 * Lets oneDNN's threads look out for work instead of sleeping at once, in a process that does nothing but
 * answer: waking one takes longer than most products of a token. ONNX Runtime computes on the asking thread
 * alone then, since its own would have to share cores with threads that look. Without effect once oneDNN is
 * loaded, where the variables of OpenMP say what threads do, and on Windows, whose OpenMP does not read them.
 */
export function letThreadsSpin(): void {
  const isGiven = process.env['OMP_WAIT_POLICY'] !== undefined;
  if (!isLoaded && !isGiven && process.platform !== 'win32') spins = true;
}

/** Whether they do. */
export function threadsSpin(): boolean {
  return spins;
}

/** Loads OpenMP, which reads its variables then; they are not left to other processes that this one starts. */
export function withThreadsSet<T>(load: () => T): T {
  isLoaded = true;
  if (process.env['OMP_WAIT_POLICY'] !== undefined) return load();
  const variables: Readonly<Record<string, string>> = spins
    ? { OMP_WAIT_POLICY: 'active', GOMP_SPINCOUNT: String(LOOKS) }
    : { OMP_WAIT_POLICY: 'passive' };
  Object.assign(process.env, variables);
  try {
    return load();
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name];
  }
}
