import { setTimeout as delay } from 'node:timers/promises';
import {
  generate,
  listAdapters,
  listRuns,
  type RunSummary,
  startRun,
  watchRun,
} from '../../server/protocol.ts';
import { isFinal, type RunStatus } from '../../server/runs/run-status.ts';
import { BackgroundServer } from '../support/background-server.ts';
import { type Growth, GrowthWatch } from './growth.ts';
import type { TinyBench } from './tiny-runs.ts';

/** Steps from one checkpoint to the next at most; so are evaluations and samples. */
const MOST_STEPS = 20;

/** How often processes are looked at in all; never at the same place between two checkpoints. */
const LOOKS = 97;

/** How long one who plays looks at a text before asking for the next. */
const PLAY_MS = 100;

/** How a long run went. */
export interface LongRun {
  readonly summary: RunSummary;
  /** Texts that were written meanwhile. */
  readonly texts: number;
  readonly growth: readonly Growth[];
}

/**
 * Does a run of many steps, with evaluations, checkpoints and samples all the time, as a window does
 * whose panel shows it and whose playground writes with its checkpoints.
 */
export async function longRun(bench: TinyBench, steps: number): Promise<LongRun> {
  const server = new BackgroundServer(bench.programs, bench.env);
  try {
    await server.open(bench.workspace);
    const every = Math.min(MOST_STEPS, steps / 50);
    const run = await bench.run('lora-fa', {
      max_steps: steps,
      eval_steps: every,
      save_steps: every,
      sample_steps: every,
    });
    await server.ask(startRun, { configFile: run.configFile, whenBusy: 'queue' });
    await server.ask(watchRun, { folder: run.folder });
    const watch = new GrowthWatch(bench.folder, {
      'run folder': run.folder,
      'cache folder': bench.cache,
      'temporary folder': bench.temporary,
      registry: bench.registry,
    });
    const status = () => server.latest(run.folder)!.status;
    const isOver = (): boolean => isFinal(status().state);
    const playing = play(bench, server, () => (isOver() ? undefined : status()));
    for (let next = 0; !isOver(); await server.untilNews(1000)) {
      if (status().step < next) continue;
      await watch.look(status().step);
      next = status().step + steps / LOOKS;
    }
    const texts = await playing;
    return { summary: server.latest(run.folder)!, texts, growth: watch.growth(steps) };
  } finally {
    await server.kill();
  }
}

/**
 * Writes with the base and with the newest checkpoint, again and again, as long as there is a run.
 *
 * @returns how many texts were written
 */
async function play(
  bench: TinyBench,
  server: BackgroundServer,
  status: () => RunStatus | undefined,
): Promise<number> {
  let texts = 0;
  for (let now = status(); now !== undefined; now = status()) {
    for (const adapter of new Set([null, now.checkpoint])) {
      const text = server.ask(generate, {
        id: `text ${texts}`,
        model: bench.model,
        device: 'cpu',
        quantization: null,
        adapter,
        prompt: { turn: 'Hi' },
        options: { max_new_tokens: 8 },
      });
      await text.then(
        () => texts++,
        (error: unknown) => {
          // The run removes its old checkpoints, and may have removed this one just now.
          if (adapter === null) throw error;
        },
      );
    }
    // As the views do after each checkpoint.
    await server.ask(listAdapters, {});
    await server.ask(listRuns, {});
    await delay(PLAY_MS);
  }
  return texts;
}
