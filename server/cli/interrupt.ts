import { INTERRUPTED } from './exit-codes.ts';

/**
 * Runs `action`. The first Ctrl+C (SIGINT) meanwhile calls `onInterrupt`, which is to bring the
 * action to a good end; a second one ends the process at once. SIGTERM, which schedulers send, and
 * SIGHUP, which a terminal sends that is closed, are treated alike.
 *
 * @param onEnd called at the second one, before the process ends
 */
export async function withInterrupt<T>(
  onInterrupt: () => void,
  action: () => Promise<T>,
  onEnd: () => void = () => undefined,
): Promise<T> {
  let isInterrupted = false;
  const interrupt = (): void => {
    if (isInterrupted) {
      onEnd();
      process.exit(INTERRUPTED);
    }
    isInterrupted = true;
    onInterrupt();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await action();
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
