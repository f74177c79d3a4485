import { once } from 'node:events';
import { cp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { isRunning } from '../../../engine/process-mark.ts';
import { followRun } from '../../../engine/train/follow-run.ts';
import { BuiltCli } from '../../support/built-cli.ts';
import { Cable } from '../../support/cable.ts';
import { freePort } from '../../support/free-port.ts';
import { ownProcess } from '../../support/own-process.ts';
import { processesOf } from '../../support/processes-of.ts';
import { lacks, REFERENCE_PYTHON } from '../../support/reference-python.ts';
import { expectAdapter, savedAdapter } from './saved-adapter.ts';
import { stopAfter } from './stop-after.ts';
import { type ConfigChanges, type FinishedRun, ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

/** Loading PyTorch, transformers and PEFT takes seconds, and more on a busy machine. */
const PATIENCE = { timeout: 900_000 };

const STEPS = 8;

/** One configuration for all machines. */
function onAccelerate(
  accelerate: ConfigChanges['accelerate'],
  training: ConfigChanges['training'] = {},
): ResolvedConfig {
  return tiny().config({
    data: { eval_split: 2 },
    training: {
      max_steps: STEPS,
      gradient_accumulation_steps: 2,
      weight_decay: 0.1,
      eval_steps: 4,
      ...training,
    },
    engine: { backend: 'accelerate' },
    accelerate: { python: REFERENCE_PYTHON, num_processes: 2, ...accelerate },
  });
}

/** Two machines that meet on the loopback interface. */
async function machines(training: ConfigChanges['training'] = {}, ddpTimeout = 600) {
  const meeting = {
    num_machines: 2,
    main_process_ip: '127.0.0.1',
    main_process_port: await freePort(),
    ddp_timeout: ddpTimeout,
  };
  return [
    onAccelerate(meeting, training),
    onAccelerate({ ...meeting, machine_rank: 1 }, training),
  ] as const;
}

const follow = (config: ResolvedConfig): Promise<void> =>
  followRun(config, { onProgress: () => undefined });

function lossesOf(finished: Pick<FinishedRun, 'events'>): number[] {
  return [
    ...ofType(finished, 'step').map(({ loss }) => loss),
    ...ofType(finished, 'eval').map(({ eval_loss }) => eval_loss),
  ];
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, loss] of actual.entries()) {
    expect(Math.abs(loss - expected[i]!), `loss ${i}`).toBeLessThan(1e-5);
  }
}

describe.skipIf(lacks('peft'))('a run on two machines', () => {
  test(
    'is that on one, of which the second has neither data nor a folder, and goes on as well',
    PATIENCE,
    async () => {
      const alone = onAccelerate({});
      const expected = await run(alone);
      const [first, second] = await machines();
      // A machine has paths of its own.
      const model = tiny().fresh('its-model');
      await cp(tiny().model, model, { recursive: true });
      const elsewhere = {
        ...second,
        model: { ...second.model, base_model_name_or_path: model },
        data: { ...second.data, dataset_name_or_path: '/nowhere/rows.jsonl' },
      };
      const [before] = await Promise.all([stopAfter(3, first), follow(elsewhere)]);
      expect(before.result.steps).toBe(3);

      const { output_dir } = first.training;
      const [again, other] = await machines({ output_dir, resume_from_checkpoint: 'latest' });
      const [after] = await Promise.all([run(again), follow(other)]);
      expect(ofType(after, 'started')[0]!.run.device).toBe('2 × cpu (Accelerate)');
      expectClose(lossesOf({ events: [...before.events, ...after.events] }), lossesOf(expected));
      await expectAdapter(output_dir, await savedAdapter(alone.training.output_dir), 1e-5);
      await expect(readdir(second.training.output_dir)).rejects.toMatchObject({ code: 'ENOENT' });
      await rm(model, { recursive: true });
    },
  );

  test('is joined by the command line, and by nothing else', PATIENCE, async () => {
    const [first, second] = await machines({ max_steps: 2 });
    await expect(run(second)).rejects.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringContaining('accelerate.machine_rank 1'),
    });
    const cli = await BuiltCli.build();
    try {
      const { num_processes, num_machines, main_process_ip, main_process_port } = second.accelerate;
      const text = tiny().configText({
        training: { gradient_accumulation_steps: 2 },
        engine: { backend: 'accelerate' },
        accelerate: {
          python: REFERENCE_PYTHON,
          ...{ num_processes, num_machines, main_process_ip: main_process_ip!, main_process_port },
        },
      });
      const file = await tiny().file('machines.lorafa.json', text);
      const joining = cli.run(['train', file, '--set', 'accelerate.machine_rank=1']);
      const { result } = await run(first);
      expect(result.status).toBe('completed');
      expect(await joining).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await cli.remove();
    }
  });
});

/** So long processes wait for one another in tests: less than any run should, more than a busy machine needs. */
const SHORT_S = 60;

describe.skipIf(lacks('peft') || process.platform !== 'linux')(
  'a run whose ranks lose each other',
  () => {
    const LONG = { max_steps: 1_000_000, save_steps: 2 };

    /** Does something to a rank once a run has a checkpoint; resolves with how long it took to end, in ms. */
    async function lost(config: ResolvedConfig, happen: () => Promise<unknown>): Promise<number> {
      let began: number | undefined;
      const running = run(config, {
        onEvent: ({ type }) => {
          if (type !== 'checkpoint' || began !== undefined) return;
          began = performance.now();
          void happen();
        },
      });
      await expect(running).rejects.toMatchObject({
        code: 'training.rank_lost',
        message: expect.stringMatching(
          /^The process of rank 0 of 2 .* hears nothing more .* resume/,
        ),
      });
      return performance.now() - began!;
    }

    test('for one is stopped ends in the time that is said, and goes on', PATIENCE, async () => {
      const config = onAccelerate({ ddp_timeout: SHORT_S }, LONG);
      let pids: number[] = [];
      const took = await lost(config, async () => {
        pids = await Promise.all([ownProcess('"rank":0'), ownProcess('"rank":1')]);
        process.kill(pids[1]!, 'SIGSTOP');
      });
      expect(took).toBeGreaterThan(SHORT_S * 900);
      // A moment is what it takes beyond; a machine that has other work gives it late.
      expect(took).toBeLessThan(SHORT_S * 1000 + 30_000);
      expect(pids).toHaveLength(2);
      for (const pid of pids) expect(await isRunning(pid)).toBe(false);
      const { output_dir } = config.training;
      const again = onAccelerate({}, { ...LONG, output_dir, resume_from_checkpoint: 'latest' });
      const { result, events } = await stopAfter(4, again);
      expect(ofType({ events }, 'started')[0]!.run.resumedAt).toBeGreaterThanOrEqual(2);
      expect(result.status).toBe('stopped');
    });

    test('for the network between machines is cut ends on both', PATIENCE, async () => {
      const [first, second] = await machines(LONG);
      const cable = await Cable.to(first.accelerate.main_process_port);
      const accelerate = { ...second.accelerate, main_process_port: cable.port };
      const following = expect(follow({ ...second, accelerate })).rejects.toMatchObject({
        code: 'training.rank_lost',
      });
      const took = await lost(first, async () => cable.cut());
      await following;
      // At once, as far as a busy machine can: nobody waits for `ddp_timeout`.
      expect(took).toBeLessThan(60_000);
      for (const { main_process_port: port } of [first.accelerate, accelerate]) {
        expect(await processesOf(`"port":${port}`)).toEqual([]);
      }
    });

    test('for the other machine never comes says so', PATIENCE, async () => {
      const [first] = await machines(LONG, 3);
      await expect(run(first)).rejects.toMatchObject({
        code: 'training.rank_lost',
        message: expect.stringContaining('1/2 clients joined'),
      });
    });

    test('for another program has its port says so', PATIENCE, async () => {
      const [first] = await machines(LONG);
      const { main_process_port: port } = first.accelerate;
      const other = createServer();
      onTestFinished(() => void other.close());
      other.listen(port, '127.0.0.1');
      await once(other, 'listening');
      await expect(run(first)).rejects.toMatchObject({
        code: 'device.unavailable',
        message: `Another program has port ${port} of the first machine; set accelerate.main_process_port to another one on all machines.`,
      });
    });
  },
);
