import { setTimeout as delay } from 'node:timers/promises';
import { generate } from '../../server/protocol/generation.ts';
import { listAdapters } from '../../server/protocol/models.ts';
import { listRuns, type RunSummary, startRun, watchRun } from '../../server/protocol/runs.ts';
import { isFinal, type RunStatus } from '../../server/trainer/run-status.ts';
import { BackgroundServer } from '../support/background-server.ts';
import type { TinyBench } from './tiny-runs.ts';

/** Steps from one checkpoint to the next at most; so are evaluations and samples. */
const MOST_STEPS = 20;

/** How long one who plays looks at a text before asking for the next. */
const PLAY_MS = 100;

/** How a long run went. */
export interface LongRun {
  readonly summary: RunSummary;
  /** Texts that were written meanwhile. */
  readonly texts: number;
}

/** Who looks at a long run meanwhile. */
export interface LongRunLook {
  /** To be added to the environment of all processes. */
  readonly env: Readonly<Record<string, string>>;
  /** How often it is looked. */
  readonly looks: number;
  /** Called with how many steps are done. */
  readonly onLook: (step: number) => Promise<void>;
}

/**
 * Does a run of many steps, with evaluations, checkpoints and samples all the time, as a window does
 * whose panel shows it and whose playground writes with its checkpoints.
 */
export async function longRun(
  bench: TinyBench,
  steps: number,
  { env, looks, onLook }: LongRunLook,
): Promise<LongRun> {
  const server = new BackgroundServer(bench.programs, { ...bench.env, ...env });
  try {
    await server.open(bench.workspace);
    const every = Math.min(MOST_STEPS, steps / 50);
    const { configFile, folder } = await bench.run('lora-fa', {
      max_steps: steps,
      eval_steps: every,
      save_steps: every,
      sample_steps: every,
    });
    await server.ask(startRun, { configFile, whenBusy: 'queue' });
    await server.ask(watchRun, { folder });
    const status = () => server.latest(folder)!.status;
    const isOver = (): boolean => isFinal(status().state);
    const playing = play(bench, server, () => (isOver() ? undefined : status()));
    for (let next = 0; !isOver(); await server.untilNews(1000)) {
      if (status().step < next) continue;
      await onLook(status().step);
      next = status().step + steps / looks;
    }
    return { texts: await playing, summary: server.latest(folder)! };
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
