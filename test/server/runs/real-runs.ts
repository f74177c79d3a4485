import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { readLock } from '../../../engine/train/run-lock.ts';
import { RunRegistry } from '../../../server/trainer/run-registry.ts';
import { type ConfigChanges, TinyRuns } from '../../engine/train/tiny-run.ts';
import { BuiltCli } from '../../support/built-cli.ts';
import { ObservedManager } from './observed-manager.ts';

/** So many steps that a run does not end before the test ends it. */
export const ENDLESS = 1_000_000;

/** Real runs of a tiny model, in processes of their own, started and watched through managers. */
export class RealRuns {
  readonly built: BuiltCli;
  readonly tiny: TinyRuns;
  readonly registryFolder: string;
  readonly trainerScript: string;

  private constructor(built: BuiltCli, tiny: TinyRuns) {
    this.built = built;
    this.tiny = tiny;
    this.registryFolder = path.join(built.folder, 'registry');
    this.trainerScript = path.join(built.folder, 'out/trainer.js');
  }

  static async create(): Promise<RealRuns> {
    const built = await BuiltCli.build();
    return new RealRuns(built, await TinyRuns.create(built.folder));
  }

  /** A manager until the end of the test. */
  observe(answerTimeoutMs?: number): ObservedManager {
    const { built, registryFolder, trainerScript } = this;
    const observed = new ObservedManager(
      built.folder,
      registryFolder,
      trainerScript,
      answerTimeoutMs,
    );
    onTestFinished(() => observed.manager.dispose());
    return observed;
  }

  /** Writes a configuration file and returns its path and the run's folder. */
  async configured(
    training: ConfigChanges['training'] = {},
    data: ConfigChanges['data'] = {},
  ): Promise<{ configFile: string; folder: string }> {
    const folder = this.tiny.fresh();
    const configFile = `${folder}.lorafa.json`;
    const text = this.tiny.configText({ data, training: { output_dir: folder, ...training } });
    await writeFile(configFile, text);
    return { configFile, folder };
  }

  /** Starts a run that goes on for ever, and returns its folder when it has made some steps. */
  async startEndless(
    observed: ObservedManager,
    training: ConfigChanges['training'] = {},
  ): Promise<string> {
    const { configFile, folder } = await this.configured({ max_steps: ENDLESS, ...training });
    await observed.manager.start(configFile, 'parallel');
    await observed.follow(folder);
    await observed.untilRun(folder, ({ status }) => status.step >= 2);
    return folder;
  }

  /** Ends also the runs of a test that failed. */
  async remove(): Promise<void> {
    for (const { folder } of await new RunRegistry(this.registryFolder).list()) {
      const holder = await readLock(folder);
      // Some tests write locks of processes elsewhere.
      if (holder?.host === os.hostname()) process.kill(holder.pid, 'SIGKILL');
    }
    await this.built.remove();
  }
}

/** Real runs that all tests of one file share. */
export function useRealRuns(): () => RealRuns {
  let runs: RealRuns | undefined;
  beforeAll(async () => {
    runs = await RealRuns.create();
  }, 60_000);
  afterAll(() => runs?.remove());
  return () => runs!;
}
