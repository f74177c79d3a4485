/**
 * Ends a stream of text at the first stop string. Text that may turn out to be the beginning of
 * one is held back until that is decided, so that nothing of a stop string is ever given out.
 */
export class StopStrings {
  readonly #stops: readonly string[];
  #held = '';
  #found = false;

  /** @param stops not empty texts; none lets all text through at once */
  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** True once a stop string has come; the text behind it is dropped. */
  get found(): boolean {
    return this.#found;
  }

  /** Takes the next text and returns what can be given out now. */
  push(text: string): string {
    if (this.#found) return '';
    this.#held += text;
    const starts = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0);
    this.#found = starts.length > 0;
    const end = this.#found ? Math.min(...starts) : this.#firstPossibleStart();
    const released = this.#held.slice(0, end);
    this.#held = this.#held.slice(end);
    return released;
  }

  /** What was held back, for the end of the text. */
  flush(): string {
    const released = this.#found ? '' : this.#held;
    this.#held = '';
    return released;
  }

  /** Where the longest end of the held text lies that a stop string begins with. */
  #firstPossibleStart(): number {
    const { length } = this.#held;
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length));
    for (let at = Math.max(0, length - longest + 1); at < length; at++) {
      const end = this.#held.slice(at);
      if (this.#stops.some((stop) => stop.startsWith(end))) return at;
    }
    return length;
  }
}
