import { INTERRUPTED } from './exit-codes.ts';

/**
 * Runs `action`. The first Ctrl+C (SIGINT) meanwhile calls `onInterrupt`, which is to bring the
 * action to a good end; a second one ends the process at once. SIGTERM, which schedulers send, and
 * SIGHUP, which a terminal sends that is closed, are treated alike. The same one right after the first is the same
 * request: schedulers and GNU timeout send it to a process and to its group, and both reach it.
 *
 * @param onEnd called at the second one, before the process ends
 */
export async function withInterrupt<T>(
  onInterrupt: () => void,
  action: () => Promise<T>,
  onEnd: () => void = () => undefined,
): Promise<T> {
  let first: { readonly signal: NodeJS.Signals; readonly at: number } | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = { signal, at: performance.now() };
      onInterrupt();
    } else if (signal !== first.signal || performance.now() - first.at > SAME_REQUEST_MS) {
      onEnd();
      process.exit(INTERRUPTED);
    }
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await action();
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

/** Nobody asks twice in so many milliseconds. */
const SAME_REQUEST_MS = 300;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
