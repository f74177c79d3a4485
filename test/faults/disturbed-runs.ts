import { access, cp, mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { type ConfigChanges, TinyRuns } from '../engine/train/tiny-run.ts';
import { BuiltCli } from '../support/built-cli.ts';
import { type Fault, Interposer, readOperations } from './interposer/interposer.ts';
import { complaints, type RunEnd } from './run-end.ts';
import { differences, type RunOutcome, readOutcome } from './run-outcome.ts';
import { type RunProgram, trainer } from './run-programs.ts';

/** A fault at an operation of a scene. */
export type Disturbance = Pick<Fault, 'kind' | 'at' | 'isLasting'>;

/** A run that is disturbed again and again, each time in a folder of its own. */
export interface Scene {
  readonly name: string;
  readonly program: RunProgram;
  readonly config: ConfigChanges;
  /** Where the faults happen: among the files of the run, or in the cache folder. */
  readonly place: 'run' | 'cache';
  /** In which of the program's processes they happen: those with this word in their command line. */
  readonly process?: string;
  /** What happened to the run before. If nothing did it is a new one, otherwise one that goes on. */
  readonly before?: Disturbance;
}

/** A scene that is ready for its attempts. */
export interface Stage {
  readonly scene: Scene;
  /** The folder that every attempt begins with. */
  readonly start: string;
  /** What every attempt must come to. */
  readonly expected: RunOutcome;
}

/** How a disturbed run ended, and what came of it when it was resumed. */
export interface Attempt {
  /** The operation that the fault happened at; undefined when there were not so many. */
  readonly operation: string | undefined;
  /** Everything that is not as it should be. */
  readonly problems: readonly string[];
}

/** Runs in which operations fail, compared with one in which none does. */
export class DisturbedRuns {
  readonly #built: BuiltCli;
  readonly #interposer: Interposer;
  readonly #tiny: TinyRuns;

  private constructor(built: BuiltCli, interposer: Interposer, tiny: TinyRuns) {
    this.#built = built;
    this.#interposer = interposer;
    this.#tiny = tiny;
  }

  /** Builds the programs and the interposer, and makes a model and data. */
  static async create(): Promise<DisturbedRuns> {
    const [built, interposer] = await Promise.all([BuiltCli.build(), Interposer.build()]);
    return new DisturbedRuns(built, interposer, await TinyRuns.create(built.folder));
  }

  /** Does a scene's run once without a disturbance, and what happened before it. */
  async prepare(scene: Scene): Promise<Stage> {
    const undisturbed = await this.#folder();
    const end = await this.#run(undisturbed, scene, false);
    if (end.how !== 'completed') throw new Error(`${scene.name}: ${JSON.stringify(end)}`);
    const start = await this.#folder();
    if (scene.before !== undefined) await this.#disturb(start, scene, false, scene.before);
    return { scene, start, expected: await readOutcome(undisturbed) };
  }

  /** Disturbs a run, resumes it, and looks at what is left. */
  async attempt({ scene, start, expected }: Stage, disturbance: Disturbance): Promise<Attempt> {
    const folder = await this.#folder();
    await cp(start, folder, { recursive: true });
    const isResumed = scene.before !== undefined;
    const { end, operation } = await this.#disturb(folder, scene, isResumed, disturbance);
    const isHit = operation !== undefined;
    const isKilled = disturbance.kind.endsWith('kill');
    // A trainer tells in its folder why it ended; a disk that is full for good takes no note of it.
    const isMute = disturbance.isLasting === true && scene.program === trainer;
    const problems = complaints(end, isHit && (isKilled || isMute));
    await letTimePass(path.join(folder, 'cache'));
    const last = isHit ? await this.#run(folder, scene, await hasBegun(folder)) : end;
    if (last.how === 'completed') {
      problems.push(...differences(await readOutcome(folder), expected));
    } else {
      problems.push(`a dead end: ${JSON.stringify(last)}`);
    }
    await rm(folder, { recursive: true });
    return { operation, problems };
  }

  async remove(): Promise<void> {
    await this.#interposer.remove();
    await this.#built.remove();
  }

  /** A fresh folder for one run: it will be in `run`, what it caches in `cache`. */
  async #folder(): Promise<string> {
    const folder = this.#tiny.fresh('attempt');
    await mkdir(path.join(folder, 'tmp'), { recursive: true });
    return folder;
  }

  async #disturb(
    folder: string,
    scene: Scene,
    isResumed: boolean,
    disturbance: Disturbance,
  ): Promise<{ end: RunEnd; operation: string | undefined }> {
    const trace = `${folder}.trace`;
    const fault = {
      ...disturbance,
      folder: path.join(folder, scene.place),
      ...(scene.process !== undefined && { program: scene.process }),
    };
    const env = this.#interposer.environment(trace, { fault });
    const end = await this.#run(folder, scene, isResumed, env);
    const operations = await readOperations(trace);
    await rm(trace);
    const hit = operations.find(({ number }) => number === fault.at);
    return { end, operation: hit && `${hit.name} ${path.relative(folder, hit.target)}` };
  }

  async #run(
    folder: string,
    scene: Scene,
    isResumed: boolean,
    env: Readonly<Record<string, string>> = {},
  ): Promise<RunEnd> {
    const training = {
      ...scene.config.training,
      output_dir: path.join(folder, 'run'),
      ...(isResumed && { resume_from_checkpoint: 'latest' }),
    };
    const changes = { ...scene.config, training };
    const config = this.#tiny.config(changes);
    const configFile = `${folder}.lorafa.json`;
    await writeFile(configFile, this.#tiny.configText(changes));
    const places = {
      LORAFA_CACHE_DIR: path.join(folder, 'cache'),
      TMPDIR: path.join(folder, 'tmp'),
    };
    return scene.program(this.#built, { config, configFile, env: { ...places, ...env } });
  }
}

/** Whether there is a run to resume: one that was killed before it had a record is started again. */
function hasBegun(folder: string): Promise<boolean> {
  return access(path.join(folder, 'run', RUN_FILES.config)).then(
    () => true,
    () => false,
  );
}

/** Who shares a cache folder may be out of sight, so that nobody removes what was just touched. */
async function letTimePass(folder: string): Promise<void> {
  const longAgo = new Date(Date.now() - 3_600_000);
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  for (const file of files) await utimes(path.join(folder, file), longAgo, longAgo);
}
