import type { RankUsage } from './events.ts';
import type { RankShare } from './training-backend.ts';

/** How fast each process of a backend learns, by its part of the tokens. */
export class RankRates {
  /** Of each rank since the last report. */
  #tokens: number[] = [];

  /** Takes note of what the processes did in a step, in the order of their ranks. */
  add(ranks: readonly RankShare[]): void {
    this.#tokens = ranks.map(({ tokens }, rank) => tokens + (this.#tokens[rank] ?? 0));
  }

  /**
   * What there is to report of them since the last call.
   *
   * @param ranks as they were in the latest step
   * @param rate tokens per second of all together
   */
  report(ranks: readonly RankShare[], rate: number): readonly RankUsage[] {
    const all = this.#tokens.reduce((sum, tokens) => sum + tokens, 0);
    const usage = ranks.map(({ device, memory }, rank) => ({
      device,
      memory,
      tokens_per_second: (rate * this.#tokens[rank]!) / Math.max(1, all),
    }));
    this.#tokens = [];
    return usage;
  }
}
