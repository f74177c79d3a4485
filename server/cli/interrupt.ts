import { INTERRUPTED } from './exit-codes.ts';

/**
 * Runs `action` with a signal that the first Ctrl+C (SIGINT) aborts, so that it can end in good
 * order; a second one ends the process at once. SIGTERM, which schedulers send, is treated alike.
 *
 * @param onInterrupt tells the user that the end is near
 */
export async function withInterrupt<T>(
  onInterrupt: () => void,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort();
    onInterrupt();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await action(controller.signal);
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
