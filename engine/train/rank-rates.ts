import type { RankUsage } from './events.ts';
import type { RankShare } from './training-backend.ts';

/** How fast each process of a backend learns, by its part of the tokens. */
export class RankRates {
  /** Of each rank since the last report. */
  #tokens: number[] = [];
  /** Of all processes, those of other machines too. */
  #all = 0;

  /**
   * Takes note of a step.
   *
   * @param ranks what the processes of this machine did, in the order of their ranks
   * @param all tokens of the step, which other machines may have had a part of
   */
  add(ranks: readonly RankShare[], all: number): void {
    this.#all += all;
    this.#tokens = ranks.map(({ tokens }, rank) => tokens + (this.#tokens[rank] ?? 0));
  }

  /**
   * What there is to report of them since the last call.
   *
   * @param ranks as they were in the latest step
   * @param rate tokens per second of all together
   */
  report(ranks: readonly RankShare[], rate: number): readonly RankUsage[] {
    const usage = ranks.map(({ device, memory }, rank) => ({
      device,
      memory,
      tokens_per_second: (rate * this.#tokens[rank]!) / Math.max(1, this.#all),
    }));
    this.#tokens = [];
    this.#all = 0;
    return usage;
  }
}
