import path from 'node:path';
import type { JournalEntry } from '../../../engine/train/journal-entry.ts';
import type { LogLine, RunSummary } from '../../../server/protocol/runs.ts';
import { RunManager } from '../../../server/runs/run-manager.ts';
import { RunRegistry } from '../../../server/trainer/run-registry.ts';
import type { RunState } from '../../../server/trainer/run-status.ts';

/** A manager of which everything is remembered that it tells. */
export class ObservedManager {
  readonly manager: RunManager;
  readonly entries: JournalEntry[] = [];
  readonly lines: LogLine[] = [];
  /** Folders that hold no run any more. */
  readonly gone: string[] = [];
  readonly #summaries: RunSummary[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(
    folder: string,
    registryFolder: string,
    trainerScript: string,
    answerTimeoutMs = 20_000,
  ) {
    this.manager = new RunManager({
      workspaceFolders: [folder],
      registry: new RunRegistry(registryFolder),
      trainerScript,
      cliScript: path.join(path.dirname(trainerScript), 'cli.js'),
      askPython: async () => null,
      answerTimeoutMs,
      onChanged: (summary) => {
        this.#summaries.push(summary);
        this.#wake();
      },
      onGone: (gone) => {
        this.gone.push(gone);
        this.#wake();
      },
    });
  }

  /** The states of a run in their order, as they were told. */
  states(folder: string): RunState[] {
    const states = this.#summaries
      .filter((summary) => summary.folder === folder)
      .map(({ status }) => status.state);
    return states.filter((state, index) => state !== states[index - 1]);
  }

  /** Sends history and news of a run to {@link entries} and {@link lines}. */
  async follow(folder: string): Promise<void> {
    await this.manager.follow(folder, {
      onEvents: (entries, isStart) => {
        if (isStart) this.entries.length = 0;
        this.entries.push(...entries);
        this.#wake();
      },
      onLog: (lines, isStart) => {
        if (isStart) this.lines.length = 0;
        this.lines.push(...lines);
        this.#wake();
      },
    });
  }

  /** Resolves when a condition on what was told holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Resolves with the latest summary of a run once it fits. */
  async untilRun(folder: string, fits: (summary: RunSummary) => boolean): Promise<RunSummary> {
    const latest = (): RunSummary | undefined =>
      this.#summaries.findLast((summary) => summary.folder === folder);
    await this.until(() => {
      const summary = latest();
      return summary !== undefined && fits(summary);
    });
    return latest()!;
  }

  untilState(folder: string, state: RunState): Promise<RunSummary> {
    return this.untilRun(folder, ({ status }) => status.state === state);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
