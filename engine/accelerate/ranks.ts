import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { LorafaError } from '../errors.ts';
import { temporaryFolder } from '../files/folders.ts';
import { removeFolder, removeNow } from '../files/remove.ts';
import { commandLine, Rank, type RankEnd } from './rank.ts';
import { localProcesses, type RankConfig, rankCommands } from './rank-commands.ts';

/** For so long others are listened to when a process ends: the first to be heard may be one that missed another. */
const LISTENING_MS = 300;

const helloSchema = z.object({
  /** Versions, by the names of packages; `python` among them. */
  packages: z.record(z.string(), z.string()),
  /** Whether PyTorch was built with what processes talk by: `gloo` on CPUs, `nccl` on CUDA devices. */
  backends: z.record(z.string(), z.boolean()),
  /** The kind of device that it computes on: `cpu`, `cuda`. */
  device: z.string(),
});

/** For so long other machines are waited for at the end: one that is gone never hears of it. */
const FAREWELL_MS = 10_000;

/** What a process says of itself when it is ready. */
export type RankHello = Readonly<z.infer<typeof helloSchema>>;

/** The processes of a run on Accelerate that are on this machine: all of them compute, or none is left. */
export class Ranks {
  readonly hello: RankHello;
  /** Processes of all machines. */
  readonly count: number;
  /** Whether processes of other machines compute for the run of this one. */
  readonly #leads: boolean;
  readonly #ranks: readonly Rank[];
  readonly #handover: string;
  readonly #calls: Calls;
  readonly #release: () => Promise<void>;

  private constructor(
    hello: RankHello,
    { num_processes, num_machines, machine_rank }: RankConfig['accelerate'],
    ranks: readonly Rank[],
    handover: string,
    calls: Calls,
    release: () => Promise<void>,
  ) {
    this.hello = hello;
    this.count = num_processes;
    this.#leads = num_machines > 1 && machine_rank === 0;
    this.#ranks = ranks;
    this.#handover = handover;
    this.#calls = calls;
    this.#release = release;
  }

  /**
   * Starts the processes of a configuration and waits until they have found each other, on all machines.
   *
   * @param onOutput told each line that they print, with the rank in front
   * @param model the base model's folder here, where another machine has the run
   * @throws LorafaError `python.not_found`, `python.missing_package`, `python.wrong_version`, `python.failed`,
   * `device.unavailable`, `config.contradiction`, `training.rank_died`, `training.rank_lost`; none of them is left then
   */
  static async start(
    config: RankConfig,
    onOutput: (line: string) => void = () => undefined,
    model?: string,
  ): Promise<Ranks> {
    const { accelerate } = config;
    const handover = await temporaryFolder('lorafa-accelerate');
    const ranks: Rank[] = [];
    const release = endWithThisProcess(ranks, handover);
    try {
      const commands = await rankCommands(config, { handover, model });
      const first = accelerate.machine_rank * localProcesses(config);
      for (const [index, command] of commands.entries()) {
        const rank = first + index;
        const name = `The process of rank ${rank} of ${accelerate.num_processes}`;
        ranks.push(new Rank(name, command, (line) => onOutput(`rank ${rank}: ${line}`)));
      }
      const calls = new Calls();
      void firstEnd(ranks).then((error) => {
        for (const rank of ranks) rank.kill();
        calls.fail(error);
      });
      const hellos = await calls.all(ranks.map((rank) => rank.answer()));
      return new Ranks(helloSchema.parse(hellos[0]), accelerate, ranks, handover, calls, release);
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** A path by which a file or a folder goes to the processes or comes from them. */
  file(name: string): string {
    return path.join(this.#handover, name);
  }

  /**
   * Sends a command to all processes, of which each does its share.
   *
   * @returns the answers by rank
   * @throws LorafaError where a process ends; none is left then
   */
  async ask<T>(command: object, schema: z.ZodType<T>): Promise<readonly T[]> {
    const line = commandLine(command);
    const answers = await this.#calls.all(this.#ranks.map((rank) => rank.ask(line)));
    return answers.map((answer) => schema.parse(answer));
  }

  /**
   * Waits while the processes compute for the run of the first machine.
   *
   * @throws LorafaError where they cannot go on
   */
  async follow(): Promise<void> {
    await this.#calls.all(this.#ranks.map((rank) => rank.answer()));
  }

  /** Ends the processes; they hold nothing that is not here, or was given up. Those of other machines hear of it. */
  async release(): Promise<void> {
    if (this.#leads && !this.#calls.haveFailed) {
      const farewell = this.ask({ do: 'end' }, z.object({})).catch(() => undefined);
      await Promise.race([farewell, delay(FAREWELL_MS, undefined, { ref: false })]);
    }
    await this.#release();
  }
}

/**
 * Sees that processes, and the folder through which files go to them, are gone when this process is, however it ends: one
 * that is stopped, or hangs before it reads, does not hear that nobody is there any more.
 *
 * @returns ends them now
 */
function endWithThisProcess(ranks: readonly Rank[], handover: string): () => Promise<void> {
  const kill = (): void => {
    for (const rank of ranks) rank.kill();
  };
  const onExit = (): void => {
    kill();
    removeNow(handover);
  };
  process.on('exit', onExit);
  return async () => {
    kill();
    await Promise.all(ranks.map(({ gone }) => gone));
    // What cannot be removed is no reason to lose a run that is complete, or to hide why it is not.
    await removeFolder(handover).catch(() => undefined);
    process.off('exit', onExit);
  };
}

/** Calls that wait for answers, and fail together. */
class Calls {
  readonly #rejects = new Set<(error: LorafaError) => void>();
  #error: LorafaError | undefined;

  get haveFailed(): boolean {
    return this.#error !== undefined;
  }

  async all(answers: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
    if (this.#error !== undefined) throw this.#error;
    let reject!: (error: LorafaError) => void;
    const failed = new Promise<never>((_, no) => {
      reject = no;
    });
    this.#rejects.add(reject);
    try {
      return await Promise.race([Promise.all(answers), failed]);
    } finally {
      this.#rejects.delete(reject);
    }
  }

  fail(error: LorafaError): void {
    this.#error = error;
    for (const reject of this.#rejects) reject(error);
  }
}

/** Why the processes are at their end: a process that vanished says more than those that missed it. */
async function firstEnd(ranks: readonly Rank[]): Promise<LorafaError> {
  const ends: RankEnd[] = [];
  const all = ranks.map(async ({ ended }) => void ends.push(await ended));
  await Promise.race(all);
  if (ranks.length > 1) await Promise.race([Promise.all(all), delay(LISTENING_MS)]);
  return (ends.find(({ isSudden }) => isSudden) ?? ends[0]!).error;
}
