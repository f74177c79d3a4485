/**
 * What happens when nobody reads standard output any more. A reader that has seen enough
 * (`lorafa … | head`) ends the command, as in any Unix tool, unless there is something to save.
 */
let onClosed = (): void => process.exit(0);

/** Says what to do instead; it is called once. */
export function whenOutputCloses(action: () => void): void {
  onClosed = action;
}

/** To be called with every write that failed because nobody reads. */
export function outputClosed(): void {
  const action = onClosed;
  onClosed = () => undefined;
  action();
}
