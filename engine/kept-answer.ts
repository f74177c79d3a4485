/**
 * Asks once and keeps the answer. A failure is none, and says nothing of the next try: whoever asks after it asks
 * again.
 */
export function keptAnswer<T>(ask: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined;
  return async () => {
    const asked = known ?? ask();
    known = asked;
    try {
      return await asked;
    } catch (error) {
      if (known === asked) known = undefined;
      throw error;
    }
  };
}
