import { chmod, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { openSafetensors } from '../../../engine/formats/safetensors.ts';
import { isRunning } from '../../../engine/process-mark.ts';
import { TrainControl } from '../../../engine/train/control.ts';
import { BuiltCli } from '../../support/built-cli.ts';
import { relativeError } from '../../support/golden.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { ownProcess } from '../../support/own-process.ts';
import { processesOf } from '../../support/processes-of.ts';
import { askPython, lacks, REFERENCE_PYTHON } from '../../support/reference-python.ts';
import { expectAdapter, savedAdapter } from './saved-adapter.ts';
import { stopAfter } from './stop-after.ts';
import { type ConfigChanges, type FinishedRun, ofType, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

/** Loading PyTorch, transformers and PEFT takes seconds, and more on a busy machine. */
const PATIENCE = { timeout: 600_000 };

const STEPS = 20;

/** What a run may say beside its length. */
const THOROUGH: ConfigChanges = {
  data: { eval_split: 2, pad_to_multiple_of: 1 },
  lora: { use_rslora: true, rank_pattern: { down_proj: 3 } },
  training: {
    max_steps: STEPS,
    gradient_accumulation_steps: 2,
    max_grad_norm: 0.5,
    weight_decay: 0.1,
    warmup_steps: 4,
    lr_scheduler_type: 'cosine',
    eval_steps: 10,
  },
};

/** The same run on Accelerate. */
function onAccelerate(changes: ConfigChanges, accelerate: ConfigChanges['accelerate'] = {}) {
  return tiny().config({
    ...changes,
    engine: { backend: 'accelerate', ...changes.engine },
    accelerate: { python: REFERENCE_PYTHON, ...accelerate },
  });
}

/** What a run told in numbers, in its order. */
function numbersOf(finished: FinishedRun, type: 'loss' | 'grad_norm' | 'eval_loss'): number[] {
  return type === 'eval_loss'
    ? ofType(finished, 'eval').map(({ eval_loss }) => eval_loss)
    : ofType(finished, 'step').map((event) => event[type]);
}

/** Makes sure that two runs learned the same. */
async function expectSame(
  [one, finishedOne]: readonly [ResolvedConfig, FinishedRun],
  [other, finishedOther]: readonly [ResolvedConfig, FinishedRun],
  { losses, weights }: { readonly losses: number; readonly weights: number },
): Promise<void> {
  for (const type of ['loss', 'eval_loss'] as const) {
    const [expected, actual] = [numbersOf(finishedOne, type), numbersOf(finishedOther, type)];
    expect(actual).toHaveLength(expected.length);
    for (const [i, number] of actual.entries()) {
      expect(Math.abs(number - expected[i]!), `${type} ${i}`).toBeLessThan(losses);
    }
  }
  const [expected, actual] = [one, other].map(({ training }) => training.output_dir);
  await expectAdapter(actual!, await savedAdapter(expected!), weights);
}

async function both(changes: ConfigChanges) {
  const [here, there] = [tiny().config(changes), onAccelerate(changes)];
  return [
    [here, await run(here)],
    [there, await run(there)],
  ] as const;
}

const CLOSE = { losses: 1e-4, weights: 1e-3 };

/** Of characters that every vocabulary of the golden models has. */
async function narrowRows(): Promise<string> {
  const rows = ['!"#$%', '$$%!', '#"!!$%&', '&%$#"!'].map((text, i) => ({
    prompt: text,
    completion: ['%%', '#!', '"&$', '!'][i],
  }));
  return tiny().file('narrow.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

describe.skipIf(lacks('peft'))('a run on Accelerate', () => {
  test('of LoRA-FA learns what it learns here', PATIENCE, async () => {
    const [here, there] = await both(THOROUGH);
    await expectSame(here, there, CLOSE);
    const [norms, theirs] = [here, there].map(([, each]) => numbersOf(each, 'grad_norm'));
    expect(relativeError(theirs!, norms!)).toBeLessThan(1e-3);
    expect(there[1].events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['started', 'step', 'eval', 'checkpoint', 'completed']),
    );
  });

  test('of LoRA learns what it learns here', PATIENCE, async () => {
    const training = { ...THOROUGH.training, method: 'lora' as const };
    await expectSame(...(await both({ ...THOROUGH, training })), CLOSE);
  });

  test.each(['qwen3', 'gemma3', 'gpt2'])(
    'of %s learns what it learns here',
    PATIENCE,
    async (name) => {
      const folder = tiny().fresh(name);
      await goldenModelFolder(name, folder);
      const changes: ConfigChanges = {
        model: { base_model_name_or_path: folder },
        data: { dataset_name_or_path: await narrowRows(), max_length: 32 },
        lora: { target_modules: 'all-linear' },
        training: { max_steps: STEPS, learning_rate: 2e-3, gradient_checkpointing: 'layer' },
      };
      await expectSame(...(await both(changes)), CLOSE);
    },
  );

  test('in two processes is that in one', PATIENCE, async () => {
    const changes = { ...THOROUGH, engine: { intra_op_num_threads: 1 } };
    const [one, two] = [onAccelerate(changes), onAccelerate(changes, { num_processes: 2 })];
    const runs = [
      [one, await run(one)],
      [two, await run(two)],
    ] as const;
    await expectSame(...runs, { losses: 1e-5, weights: 1e-5 });
    expect(ofType(runs[1][1], 'started')[0]!.run).toMatchObject({
      device: '2 × cpu (Accelerate)',
      processes: 2,
    });
    for (const { ranks = [], tokens_per_second: all } of ofType(runs[1][1], 'step')) {
      expect(ranks.map(({ device }) => device)).toEqual(['cpu', 'cpu']);
      for (const { memory } of ranks) expect(memory).toBeGreaterThan(2 ** 26);
      const rates = ranks.map((rank) => rank.tokens_per_second);
      // The second one may have no batch of the last step of an epoch.
      expect(rates[0]).toBeGreaterThan(0);
      expect(rates[0]! + rates[1]!).toBeCloseTo(all, 3);
    }
  });

  test('goes on where it was stopped, here as there', PATIENCE, async () => {
    const changes = { ...THOROUGH, training: { ...THOROUGH.training, max_steps: 8 } };
    const whole = tiny().config(changes);
    const finished = await run(whole);
    for (const [first, then] of [
      ['accelerate', 'accelerate'],
      ['accelerate', 'onnxruntime'],
      ['onnxruntime', 'accelerate'],
    ] as const) {
      const part = (backend: typeof first, training: ConfigChanges['training'] = {}) => {
        const all = { ...changes, training: { ...changes.training, ...training } };
        return backend === 'accelerate' ? onAccelerate(all) : tiny().config(all);
      };
      const begun = part(first);
      const before = await stopAfter(3, begun);
      const { output_dir } = begun.training;
      const resumed = part(then, { output_dir, resume_from_checkpoint: 'latest' });
      const after = await run(resumed);
      expect(before.result.steps).toBe(3);
      const events = [...before.events, ...after.events];
      await expectSame([whole, finished], [resumed, { ...after, events }], CLOSE);
    }
  });

  test.skipIf(process.platform !== 'linux')(
    'whose process is killed ends by name, with nothing left',
    PATIENCE,
    async () => {
      const config = onAccelerate(THOROUGH, { num_processes: 2 });
      let pids: number[] = [];
      let killed = 0;
      const running = run(config, {
        control: new TrainControl(),
        onEvent: (event) => {
          if (event.type !== 'step' || event.step !== 2) return;
          void Promise.all([ownProcess('"rank":0'), ownProcess('"rank":1')]).then((found) => {
            pids = found;
            killed = performance.now();
            process.kill(found[1]!, 'SIGKILL');
          });
        },
      });
      await expect(running).rejects.toMatchObject({
        code: 'training.rank_died',
        message: expect.stringMatching(/rank 1 of 2 .* by SIGKILL/),
      });
      // A moment is what it takes; a machine that has other work gives it late.
      expect(performance.now() - killed).toBeLessThan(30_000);
      expect(pids).toHaveLength(2);
      for (const pid of pids) expect(await isRunning(pid)).toBe(false);
    },
  );

  test.skipIf(process.platform !== 'linux')(
    'whose parent is killed leaves no process and no file',
    PATIENCE,
    async () => {
      const cli = await BuiltCli.build();
      try {
        const temporary = path.join(cli.folder, 'temporary');
        await mkdir(temporary);
        const text = tiny().configText({
          training: { max_steps: 1_000_000, gradient_accumulation_steps: 2 },
          engine: { backend: 'accelerate' },
          accelerate: { python: REFERENCE_PYTHON, num_processes: 2 },
        });
        const file = await tiny().file('killed.lorafa.json', text);
        const { code } = await cli.run(['train', file, '--json'], {
          env: { TMPDIR: temporary },
          onOutput: (output, child) => {
            if (output.includes('"type":"step"')) child.kill('SIGKILL');
          },
        });
        expect(code).toBeNull();
        await expect.poll(() => processesOf(temporary), { timeout: 30_000 }).toEqual([]);
        const left = await readdir(temporary);
        expect(left.filter((name) => name.includes('lorafa'))).toEqual([]);
      } finally {
        await cli.remove();
      }
    },
  );

  test(
    'in bfloat16 learns nearly what it learns in float32, and is no other run when it goes on',
    PATIENCE,
    async () => {
      const changes = { ...THOROUGH, training: { ...THOROUGH.training, max_steps: 8 } };
      const exact = await run(tiny().config(changes));
      const config = onAccelerate(changes, { mixed_precision: 'bf16' });
      const finished = await run(config);
      expect(ofType(finished, 'started')[0]!.run.compute).toBe('bfloat16');
      const [losses, theirs] = [finished, exact].map((each) => numbersOf(each, 'loss'));
      expect(relativeError(losses!, theirs!)).toBeLessThan(1e-2);
      expect(relativeError(losses!, theirs!)).toBeGreaterThan(1e-5);
      const { tensors } = await openSafetensors(
        path.join(config.training.output_dir, 'adapter_model.safetensors'),
      );
      expect([...tensors.values()].map(({ dtype }) => dtype)).toContain('F32');
      const { output_dir } = config.training;
      const training = { ...changes.training, output_dir, resume_from_checkpoint: 'latest' };
      await expect(run(onAccelerate({ ...changes, training }))).rejects.toMatchObject({
        code: 'checkpoint.mismatch',
        message: expect.stringContaining('mixed_precision'),
      });
    },
  );

  test('with dropout is the same run each time, and evaluates without', PATIENCE, async () => {
    const changes = {
      ...THOROUGH,
      lora: { ...THOROUGH.lora, lora_dropout: 0.5 },
      training: { ...THOROUGH.training, max_steps: 6, eval_steps: 2, eval_on_start: true },
    };
    const [one, again] = [await run(onAccelerate(changes)), await run(onAccelerate(changes))];
    const without = await run(tiny().config({ ...changes, lora: { ...THOROUGH.lora } }));
    expect(numbersOf(again, 'loss')).toEqual(numbersOf(one, 'loss'));
    expect(numbersOf(again, 'eval_loss')).toEqual(numbersOf(one, 'eval_loss'));
    // B is zero in the first step, so that what is dropped shows from the second on.
    const [dropped, kept] = [one, without].map((each) => numbersOf(each, 'loss').slice(2));
    // Without dropout both backends differ by 1e-4 of a loss of 4 at most.
    expect(relativeError(dropped!, kept!)).toBeGreaterThan(1e-4);
    const [first, same] = [one, without].map((each) => numbersOf(each, 'eval_loss')[0]!);
    expect(Math.abs(first! - same!)).toBeLessThan(1e-4);
  });

  test('whose loss is no number any more ends by name', PATIENCE, async () => {
    const changes = { training: { learning_rate: 1e30, max_steps: 8, max_grad_norm: 0 } };
    await expect(run(onAccelerate(changes))).rejects.toMatchObject({
      code: 'training.not_finite',
    });
  });

  test('is looked at by the command line, which brings its program', PATIENCE, async () => {
    const cli = await BuiltCli.build();
    try {
      const text = tiny().configText({
        engine: { backend: 'accelerate' },
        accelerate: { python: REFERENCE_PYTHON },
      });
      const file = await tiny().file('accelerate.lorafa.json', text);
      const { code, stdout, stderr } = await cli.run(['accelerate', 'check', file, '--json']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({
        processes: 1,
        device: 'cpu',
        backends: { gloo: true, nccl: expect.any(Boolean) },
        port: null,
        packages: { peft: expect.any(String), torch: expect.any(String) },
      });
      const folder = tiny().fresh('program');
      const exported = await cli.run(['accelerate', 'export', file, '--output', folder, '--json']);
      expect(JSON.parse(exported.stdout)).toMatchObject({ folder, steps: 2, model: tiny().model });
      expect((await readdir(folder)).sort()).toEqual([
        ...['README.md', 'adapter', 'evaluation.jsonl', 'lorafa.py', 'packages.py', 'run.py'],
        ...['settings.json', 'sharded.py', 'steps.jsonl', 'trainer.py'],
      ]);
      const command = ['accelerate', 'command', file, '--hosts', 'a,b', '--folder', folder];
      expect((await cli.run(command)).stdout).toContain('--node-rank 1 --master-addr a ');
      for (const [flags, why] of [
        [['--machines', '3'], 'names 2 machines and the run has 3'],
        [['--hosts', 'a,-oProxyCommand=x'], 'a name that no machine has'],
      ] as const) {
        const { code, stderr } = await cli.run([...command, ...flags]);
        expect(code).toBe(2);
        expect(stderr).toContain(why);
      }
    } finally {
      await cli.remove();
    }
  });

  test("has an optimizer that makes PEFT's steps", PATIENCE, async () => {
    const { differences } = await askPython<{ differences: number[] }>(
      'check_lorafa_optimizer.py',
      [path.resolve(import.meta.dirname, '../../../engine/accelerate/accelerate-program')],
      {},
    );
    expect(differences).toHaveLength(10);
    for (const difference of differences) expect(difference).toBeLessThan(1e-10);
  });
});

describe.skipIf(lacks('json'))('Python', () => {
  test('that is not there is told', async () => {
    const config = onAccelerate({}, { python: '/nowhere/python' });
    await expect(run(config)).rejects.toMatchObject({
      code: 'python.not_found',
      message: expect.stringContaining('LORAFA_PYTHON'),
    });
  });

  test('that lacks packages is told with the line that brings them', async () => {
    const bare = await tiny().file('bare', `#!/bin/sh\nexec "${REFERENCE_PYTHON}" -S "$@"\n`);
    await chmod(bare, 0o755);
    await expect(run(onAccelerate({}, { python: bare }))).rejects.toMatchObject({
      code: 'python.missing_package',
      message: expect.stringMatching(
        /lacks torch, .*; name another .* LORAFA_PYTHON .* or run: .*-m pip install/,
      ),
    });
  });
});
