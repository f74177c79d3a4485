import { isDeepStrictEqual } from 'node:util';
import { Random } from '../../engine/random.ts';
import { RUN_FILES } from '../../engine/train/run-folder.ts';
import type { RunSummary } from '../../server/protocol.ts';
import { leftovers, namesIn } from './leftovers.ts';
import { differences, type RunOutcome, readOutcome } from './run-outcome.ts';
import { RunParts } from './run-parts.ts';
import { readSteps, type StepFacts } from './run-steps.ts';
import type { TinyBench, TinyRun, Variant } from './tiny-runs.ts';
import { Killer, VICTIMS, type Victim } from './victims.ts';

/** A run is hit at most this often. */
const MOST_HITS = 4;

/** Files of a run folder that are there where the run was done in a process of its own. */
const TRAINER_FILES: ReadonlySet<string> = new Set([RUN_FILES.state, RUN_FILES.log]);

/** What an undisturbed run is like. */
interface Reference {
  readonly outcome: RunOutcome;
  readonly steps: readonly StepFacts[];
  /** Names in the cache folder. */
  readonly cached: readonly string[];
}

/** Those without whom a run cannot begin. */
const STARTING: ReadonlySet<Victim> = new Set(['command line', 'starter', 'trainer']);

/** Why a run fails of which a process was killed, or the window that asked for it. */
const ENDED_FROM_OUTSIDE: ReadonlySet<string | undefined> = new Set([
  'training.crashed',
  'training.no_answer',
]);

/** What became of all runs. */
export interface KillReport {
  readonly runs: number;
  /** Processes of each kind that were killed. */
  readonly kills: Readonly<Record<Victim, number>>;
  /** A sentence for each thing that was wrong. */
  readonly failures: readonly string[];
}

/** Part of a run that is being tried. */
interface Trial {
  readonly run: TinyRun;
  /** What was killed so far. */
  readonly hits: Victim[];
}

/**
 * Kills processes of runs at random moments and goes on with the runs, until each of them is
 * complete; then it must be as if nobody had disturbed it.
 */
export class RandomKills {
  readonly #bench: TinyBench;
  readonly #parts: RunParts;
  readonly #killer: Killer;
  readonly #references = new Map<Variant, Reference>();
  readonly #kills = Object.fromEntries(VICTIMS.map((victim) => [victim, 0])) as Record<
    Victim,
    number
  >;
  readonly #failures: string[] = [];

  private constructor(bench: TinyBench) {
    this.#bench = bench;
    this.#parts = new RunParts(bench);
    this.#killer = new Killer(bench.folder);
  }

  /** Does each kind of run once by the editor and once in a terminal, without a kill. */
  static async prepare(bench: TinyBench, variants: readonly Variant[]): Promise<RandomKills> {
    const kills = new RandomKills(bench);
    for (const variant of variants) await kills.#addReference(variant);
    return kills;
  }

  /**
   * @param count how many processes to kill at least
   * @param seed decides which runs are tried, and which process is killed about when
   * @param onFailure told of each failure at once
   */
  async go(count: number, seed: number, onFailure: (failure: string) => void): Promise<KillReport> {
    let runs = 0;
    while (this.#count < count) {
      const random = new Random(seed, runs);
      const variants = [...this.#references.keys()];
      const variant = variants[random.below(variants.length)]!;
      const trial: Trial = { run: await this.#bench.run(variant), hits: [] };
      const problems = await this.#try(trial, variant, random).catch((error) => [String(error)]);
      for (const problem of problems) {
        const failure = `run ${runs} (${variant}; killed: ${trial.hits.join(', ')}): ${problem}`;
        this.#failures.push(failure);
        onFailure(failure);
      }
      await this.#forget(trial.run);
      runs++;
    }
    return { runs, kills: this.#kills, failures: this.#failures };
  }

  /** Ends what still runs. */
  dispose(): Promise<void> {
    return this.#parts.dispose();
  }

  get #count(): number {
    return Object.values(this.#kills).reduce((sum, number) => sum + number, 0);
  }

  async #addReference(variant: Variant): Promise<void> {
    const places = ['editor', 'terminal'] as const;
    for (const place of places) {
      const run = await this.#bench.run(variant);
      const part = this.#doPart(run, place);
      await this.#killer.watch(part);
      const { refusal, summary } = await part;
      const problems = [...partProblems(undefined, refusal, summary)];
      const known = this.#references.get(variant);
      if (known !== undefined) problems.push(...(await this.#compare(run, known)));
      if (problems.length > 0) throw new Error(`${variant}: ${problems.join('; ')}`);
      this.#references.set(variant, {
        outcome: await outcomeOf(run),
        steps: await readSteps(run.folder),
        cached: await namesIn(this.#bench.cache),
      });
      await this.#forget(run);
    }
  }

  /** All parts of one run; returns what was wrong. */
  async #try(trial: Trial, variant: Variant, random: Random): Promise<readonly string[]> {
    const problems: string[] = [];
    for (;;) {
      const isLast =
        trial.hits.length === MOST_HITS || (trial.hits.length > 0 && random.below(2) === 0);
      const victim = isLast ? undefined : VICTIMS[random.below(VICTIMS.length)]!;
      const isInTerminal = victim === undefined ? random.below(4) === 0 : victim === 'command line';
      const part = this.#doPart(trial.run, isInTerminal ? 'terminal' : 'editor');
      const wasHit =
        victim !== undefined && (await this.#killer.kill(victim, random.uniform(), part));
      if (wasHit) {
        trial.hits.push(victim);
        this.#kills[victim]++;
      }
      const { refusal, summary } = await part;
      problems.push(...partProblems(wasHit ? victim : undefined, refusal, summary));
      if (problems.length > 0) return problems;
      if (!isDeepStrictEqual(summary, await this.#parts.listed(trial.run))) {
        return ['the window was told something else than the list of runs says'];
      }
      if (summary?.status.state === 'completed')
        return this.#compare(trial.run, this.#references.get(variant)!);
    }
  }

  async #doPart(
    run: TinyRun,
    place: 'editor' | 'terminal',
  ): Promise<{ refusal: string | undefined; summary: RunSummary | undefined }> {
    if (place === 'editor') {
      const { refusal } = await this.#parts.startInEditor(run);
      return { refusal, summary: await this.#parts.untilOver(run) };
    }
    const { refusal } = await this.#parts.doInTerminal(run);
    return { refusal, summary: await this.#parts.listed(run) };
  }

  /** Weights that were made for a run go too, so that their making is hit again. */
  async #forget(run: TinyRun): Promise<void> {
    await this.#bench.forget(run, [await this.#serverId()]);
  }

  async #serverId(): Promise<number> {
    return (await this.#parts.server()).process.pid!;
  }

  /** What is different from the undisturbed run. */
  async #compare(run: TinyRun, { outcome, steps, cached }: Reference): Promise<readonly string[]> {
    const processes = [await this.#serverId()];
    const problems = [
      ...differences(await outcomeOf(run), outcome),
      ...(await leftovers(this.#bench, { processes, cached })),
    ];
    if (!isDeepStrictEqual(await readSteps(run.folder), steps)) problems.push('the losses differ');
    return problems;
  }
}

/** What a run made, whether it was done in a terminal or not. */
async function outcomeOf({ folder }: TinyRun): Promise<RunOutcome> {
  const { names, results } = await readOutcome(folder);
  return { names: names.filter((name) => !TRAINER_FILES.has(name)), results };
}

/** What should not be so after a part of a run, in which a process was killed or none was. */
function partProblems(
  victim: Victim | undefined,
  refusal: string | undefined,
  summary: RunSummary | undefined,
): readonly string[] {
  const { state, reason } = summary?.status ?? { state: undefined, reason: null };
  const problems: string[] = [];
  const mayBeRefused = victim !== undefined && STARTING.has(victim);
  if (refusal !== undefined && !mayBeRefused) problems.push(`refused: ${refusal}`);
  if (victim === undefined || victim === 'server') {
    if (state !== 'completed')
      problems.push(`the run is ${state} (${reason?.message}), not completed`);
  } else if (state === 'failed' && !ENDED_FROM_OUTSIDE.has(reason?.code)) {
    problems.push(`the run failed by ${reason?.code} (${reason?.message})`);
  } else if (state !== undefined && state !== 'failed' && state !== 'completed') {
    problems.push(`the run is over and ${state}`);
  }
  return problems;
}
