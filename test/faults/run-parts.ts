import { isDeepStrictEqual } from 'node:util';
import { abilitiesOf } from '../../extension/runs/run-list.ts';
import { listRuns, type RunSummary, resumeRun, startRun } from '../../server/protocol/runs.ts';
import { readRunFolder } from '../../server/runs/run-summary.ts';
import { isFinal } from '../../server/trainer/run-status.ts';
import { BackgroundServer } from '../support/background-server.ts';
import { markedProcesses, runsProgram } from '../support/marked-processes.ts';
import type { TinyBench, TinyRun } from './tiny-runs.ts';

/** How long a window may believe that a run goes on of which no process is left. */
const BELIEF_MS = 30_000;

/** How long the window may know of a change later than its folder. */
const NEWS_MS = 10_000;

/** How long a part of a run may take at most. */
const PART_MS = 120_000;

/** How a part of a run was brought under way. */
export interface PartStart {
  /** What the one who asked for it was told when it was refused; undefined when it was not. */
  readonly refusal: string | undefined;
}

/**
 * Starts runs and goes on with them, by the editor's requests or by the command line, in the way that
 * each offers for what it sees of the run at the time.
 */
export class RunParts {
  readonly #bench: TinyBench;
  #server: BackgroundServer | undefined;

  constructor(bench: TinyBench) {
    this.#bench = bench;
  }

  /** The server, a new one if the last was ended. */
  async server(): Promise<BackgroundServer> {
    const known = this.#server;
    if (known !== undefined && !known.hasEnded) return known;
    known?.connection.dispose();
    const { programs, env, workspace } = this.#bench;
    const server = new BackgroundServer(programs, env);
    this.#server = server;
    await Promise.race([server.open(workspace), server.ended]);
    return server.hasEnded ? this.server() : server;
  }

  /** What the list of runs says of a run, read anew. */
  async listed(run: TinyRun): Promise<RunSummary | undefined> {
    const server = await this.server();
    const runs = await Promise.race([server.ask(listRuns, {}), server.ended]);
    return runs?.find(({ folder }) => folder === run.folder);
  }

  /**
   * Does a part of a run as the editor does; resolves when it has been taken on or refused.
   *
   * @param before what the list of runs says of it
   */
  async startInEditor(run: TinyRun, before: RunSummary | undefined): Promise<PartStart> {
    const server = await this.server();
    const whenBusy = 'parallel';
    const answer =
      before !== undefined && abilitiesOf(before).canResumeFromCheckpoint
        ? server.ask(resumeRun, { folder: run.folder, checkpoint: 'latest', whenBusy })
        : server.ask(startRun, { configFile: run.configFile, whenBusy });
    try {
      await Promise.race([answer, server.ended]);
      return { refusal: undefined };
    } catch (error) {
      return { refusal: String(error) };
    }
  }

  /** Does a part of a run by the command line, to its end. @param before see {@link startInEditor} */
  async doInTerminal(run: TinyRun, before: RunSummary | undefined): Promise<PartStart> {
    const resume = ['--set', 'training.resume_from_checkpoint=latest'];
    const isBegun = before !== undefined && before.checkpoints.length > 0;
    const args = ['train', run.configFile, '--json', ...(isBegun ? resume : [])];
    const { code, stderr, stdout } = await this.#bench.built.run(args, { env: this.#bench.env });
    const isRefused = code !== null && code !== 0;
    return { refusal: isRefused ? `${stderr}${stdout.trimEnd().split('\n').at(-1)}` : undefined };
  }

  /**
   * Waits until a run is over, by what the window is told of it.
   *
   * @param before what it was told before the part of the run that is waited for
   * @returns what it was told last; undefined when there is no such run
   * @throws Error when the window believes in a run that is long over, or the run does not end
   */
  async untilOver(run: TinyRun, before: RunSummary | undefined): Promise<RunSummary | undefined> {
    const end = Date.now() + PART_MS;
    let deadline = Date.now() + BELIEF_MS;
    for (;;) {
      const server = await this.server();
      if (server.latest(run.folder) === undefined) await this.listed(run);
      const latest = server.latest(run.folder);
      const isOver = latest !== undefined && !latest.isLive && isFinal(latest.status.state);
      const works = await this.#isWorkedOn();
      const hasNews = !isDeepStrictEqual(latest, before);
      if ((isOver && hasNews) || (!works && (isOver || latest === undefined))) return latest;
      if (works) deadline = Date.now() + BELIEF_MS;
      if (Date.now() > Math.min(deadline, end)) {
        const truth = works ? 'it has not ended' : 'nobody works on it';
        throw new Error(`the window says that the run is ${latest?.status.state}, and ${truth}`);
      }
      await server.untilNews(100);
    }
  }

  /**
   * What the window was told last of a run that is over, if it is not what the run's folder says,
   * and does not become it.
   */
  async untrueNews(run: TinyRun): Promise<string | undefined> {
    for (const deadline = Date.now() + NEWS_MS; ; ) {
      const server = await this.server();
      const told = server.latest(run.folder);
      const truth = (await readRunFolder(run.folder))?.summary;
      if (isDeepStrictEqual(told, truth)) return undefined;
      if (Date.now() > deadline) {
        return `the window is told ${JSON.stringify(told)}, the folder says ${JSON.stringify(truth)}`;
      }
      await server.untilNews(100);
    }
  }

  /** Ends the server; runs go on. */
  async dispose(): Promise<void> {
    await this.#server?.kill();
  }

  async #isWorkedOn(): Promise<boolean> {
    const processes = await markedProcesses(this.#bench.folder);
    return processes.some((one) => !runsProgram(one, 'language-server.js'));
  }
}
