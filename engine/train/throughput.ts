/** Tokens per second of training alone: pauses, evaluations and checkpoints don't count. */
export class Throughput {
  #tokens = 0;
  #since = 0;

  start(): void {
    this.#since = performance.now();
    this.#tokens = 0;
  }

  add(tokens: number): void {
    this.#tokens += tokens;
  }

  /** The rate since the last call. */
  rate(): number {
    const rate = this.#tokens / Math.max(1e-3, (performance.now() - this.#since) / 1000);
    this.start();
    return rate;
  }

  async excluding<T>(action: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const result = await action();
    this.#since += performance.now() - began;
    return result;
  }
}
