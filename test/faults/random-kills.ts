import { isDeepStrictEqual } from 'node:util';
import { Random } from '../../engine/random.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { findStateFile } from '../../server/trainer/state-file.ts';
import { leftovers, leftSockets, namesIn } from './leftovers.ts';
import { type PartEnd, partProblems } from './part-end.ts';
import { differences, type RunOutcome, readOutcome } from './run-outcome.ts';
import { RunParts } from './run-parts.ts';
import { countSessions, readSteps, type StepFacts } from './run-steps.ts';
import type { TinyBench, TinyRun, Variant } from './tiny-runs.ts';
import { Killer, VICTIMS, type Victim } from './victims.ts';

/** After so many kills it is told how far it is. */
const TOLD = 50;

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

/** What a process that is killed when its run is complete may leave: its lock and a state that it was writing. */
const LAST_TRACES = /^(run\.lock|\.state\.json\.\S+\.tmp) is left/;

/** What became of all runs. */
export interface KillReport {
  readonly runs: number;
  /** Processes of each kind that were killed. */
  readonly kills: Readonly<Record<Victim, number>>;
  /** A sentence for each thing that was wrong. */
  readonly failures: readonly string[];
}

/** A run that is being tried. */
interface Trial {
  readonly run: TinyRun;
  /** What was killed so far. */
  readonly hits: Victim[];
  /** Trainers of its earlier parts, which have ended in whatever way. */
  readonly trainers: Set<number>;
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
   * @param tell told of each failure at once, and now and then how far it is
   */
  async go(count: number, seed: number, tell: (line: string) => void): Promise<KillReport> {
    let runs = 0;
    for (let next = TOLD; this.#count < count; ) {
      const random = new Random(seed, runs);
      const variants = [...this.#references.keys()];
      const variant = variants[random.below(variants.length)]!;
      const trial: Trial = { run: await this.#bench.run(variant), hits: [], trainers: new Set() };
      const problems = await this.#try(trial, variant, random).catch((error) => [String(error)]);
      for (const problem of problems) {
        const failure = `run ${runs} (${variant}; killed: ${trial.hits.join(', ')}): ${problem}`;
        this.#failures.push(failure);
        tell(failure);
      }
      await this.#forget(trial.run);
      runs++;
      if (this.#count < next) continue;
      tell(`${this.#count} kills in ${runs} runs, ${this.#failures.length} failures`);
      next += TOLD;
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
      const problems = [...partProblems(undefined, await part)];
      if (this.#references.has(variant)) {
        problems.push(...(await this.#compare(run, variant, false)));
      }
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
      const end = await part;
      await this.#bench.age();
      const problems = partProblems(wasHit ? victim : undefined, end);
      if (problems.length > 0) return problems;
      const lie = await this.#parts.untrueNews(trial.run);
      if (lie !== undefined) return [lie];
      if (end.trainer !== undefined && !trial.trainers.has(end.trainer)) {
        // Whoever listens anew takes away what those before have left.
        const left = await leftSockets(trial.trainers);
        if (left.length > 0) return left;
      }
      if (end.trainer !== undefined) trial.trainers.add(end.trainer);
      if (end.after?.status.state === 'completed') {
        return this.#compare(trial.run, variant, wasHit);
      }
    }
  }

  async #doPart(run: TinyRun, place: 'editor' | 'terminal'): Promise<PartEnd> {
    const before = await this.#parts.listed(run);
    const sessions = await countSessions(run.folder);
    const { refusal } = await (place === 'editor'
      ? this.#parts.startInEditor(run, before)
      : this.#parts.doInTerminal(run, before));
    const after = await (place === 'editor'
      ? this.#parts.untilOver(run, before)
      : this.#parts.listed(run));
    const hasBegun = (await countSessions(run.folder)) > sessions;
    const state = await findStateFile(run.folder);
    return { refusal, before, after, hasBegun, trainer: state.content?.pid };
  }

  /** Weights that were made for a run go too, so that their making is hit again. */
  async #forget(run: TinyRun): Promise<void> {
    await this.#bench.forget(run, [await this.#serverId()]);
  }

  async #serverId(): Promise<number> {
    return (await this.#parts.server()).process.pid!;
  }

  /**
   * What is different from the undisturbed run.
   *
   * @param wasHit whether a process was killed in its last part, which completed it even so: what
   * that process left at its very end goes with the next run
   */
  async #compare(run: TinyRun, variant: Variant, wasHit: boolean): Promise<readonly string[]> {
    const { outcome, steps } = this.#references.get(variant)!;
    const problems = differences(await outcomeOf(run), outcome);
    if (!isDeepStrictEqual(await readSteps(run.folder), steps)) problems.push('the losses differ');
    problems.push(...(await this.#leftAfter(variant)));
    return wasHit ? problems.filter((problem) => !LAST_TRACES.test(problem)) : problems;
  }

  /** What is left of a run beside what is in its folder. */
  async #leftAfter(variant: Variant): Promise<readonly string[]> {
    const { cached } = this.#references.get(variant)!;
    const look = async () =>
      leftovers(this.#bench, { processes: [await this.#serverId()], cached });
    const left = await look();
    if (!left.some((problem) => /the (cache folder|registry)$/.test(problem))) return left;
    // What another process might be writing there goes with a run a while later.
    await this.#bench.age();
    const next = await this.#bench.run(variant);
    await this.#doPart(next, 'editor');
    const stillLeft = await look();
    await this.#forget(next);
    return stillLeft;
  }
}

/** What a run made, whether it was done in a terminal or not. */
async function outcomeOf({ folder }: TinyRun): Promise<RunOutcome> {
  const { names, results } = await readOutcome(folder);
  return { names: names.filter((name) => !TRAINER_FILES.has(name)), results };
}
