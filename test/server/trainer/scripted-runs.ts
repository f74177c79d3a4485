import path from 'node:path';
import { parseConfig } from '../../../engine/config/parse.ts';
import { RunRegistry } from '../../../server/trainer/run-registry.ts';
import type { RunState, RunStatus } from '../../../server/trainer/run-status.ts';
import { Supervisor } from '../../../server/trainer/supervisor.ts';
import type { TrainerJob, WhenBusy } from '../../../server/trainer/trainer-job.ts';
import { TrainerServer } from '../../../server/trainer/trainer-server.ts';

/** What the computing process does when it starts; see `computes/scripted.mjs`. */
export type Script = readonly string[];

const SCRIPTED = path.join(import.meta.dirname, 'computes/scripted.mjs');

/** A job whose computing process follows a script. */
export function scriptedJob(
  folder: string,
  script: Script,
  { name = 'run', whenBusy = 'parallel' }: { name?: string; whenBusy?: WhenBusy } = {},
): TrainerJob {
  const input = {
    model: { base_model_name_or_path: 'model' },
    data: { dataset_name_or_path: script.map((word) => `./${word}`) },
    training: { output_dir: name },
  };
  const configFile = path.join(folder, `${name}.lorafa.json`);
  return {
    config: parseConfig(JSON.stringify(input), configFile),
    configFile,
    whenBusy,
    registryFolder: path.join(folder, 'registry'),
  };
}

/** A trainer inside the test's own process, with all it told so far. */
export class ScriptedRun {
  readonly supervisor: Supervisor;
  readonly address: string;
  ended!: Promise<RunStatus>;
  /** The states in their order. */
  readonly states: RunState[] = ['queued'];
  readonly #waiting = new Set<() => void>();

  private constructor(supervisor: Supervisor, address: string) {
    this.supervisor = supervisor;
    this.address = address;
  }

  static async start(job: TrainerJob): Promise<ScriptedRun> {
    const server = new TrainerServer();
    const address = await server.listen();
    let run: ScriptedRun | undefined;
    const supervisor = await Supervisor.open({
      job,
      address,
      computeScript: SCRIPTED,
      registry: new RunRegistry(job.registryFolder),
      onStatus: (status) => {
        server.tellStatus(status);
        if (run !== undefined) run.#hear(status);
      },
      onGrew: () => server.tellGrew(),
    }).catch(async (error: unknown) => {
      await server.close();
      throw error;
    });
    server.attach(supervisor);
    run = new ScriptedRun(supervisor, address);
    run.ended = supervisor.run().finally(() => server.close());
    return run;
  }

  /** Resolves with the first status that fits. */
  async until(fits: (status: RunStatus) => boolean): Promise<RunStatus> {
    while (!fits(this.supervisor.status)) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
    return this.supervisor.status;
  }

  untilState(state: RunState): Promise<RunStatus> {
    return this.until((status) => status.state === state);
  }

  #hear(status: RunStatus): void {
    if (status.state !== this.states.at(-1)) this.states.push(status.state);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
