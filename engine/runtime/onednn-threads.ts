/** Times that a thread looks for work before it sleeps: some milliseconds, longer than any two products of a token lie apart. */
const LOOKS = 100_000;

/**
 * Lets oneDNN's threads look out for work instead of sleeping at once, in a process that does nothing but
 * answer: waking one takes longer than most products of a token. ONNX Runtime computes on the asking thread
 * alone then, since its own would have to share cores with threads that look. Without effect once oneDNN is
 * loaded, and where the variables of OpenMP and libgomp are set already.
 */
export function letThreadsSpin(): void {
  process.env['OMP_WAIT_POLICY'] ??= 'active';
  process.env['GOMP_SPINCOUNT'] ??= String(LOOKS);
}

/** Has the threads sleep unless something else was decided. */
export function letThreadsSleep(): void {
  process.env['OMP_WAIT_POLICY'] ??= 'passive';
}

/** Which of the two it is. */
export function threadsSpin(): boolean {
  return process.env['OMP_WAIT_POLICY']?.toLowerCase() === 'active';
}
