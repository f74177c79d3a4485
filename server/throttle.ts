/**
 * Makes an action that happens at once, but at most once in a while: calls that come too early are
 * made up for by one at the end of that time.
 */
export function throttle(milliseconds: number, action: () => void): () => void {
  let isResting = false;
  let isDue = false;
  const run = (): void => {
    if (isResting) {
      isDue = true;
      return;
    }
    isResting = true;
    setTimeout(() => {
      isResting = false;
      if (isDue) run();
    }, milliseconds);
    isDue = false;
    action();
  };
  return run;
}
