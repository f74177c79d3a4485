import { stat } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunEstimate } from '../../engine/plan/estimate-run.ts';
import type { TrainEvent } from '../../engine/train/events.ts';
import { type ConfigChanges, TinyRuns } from '../engine/train/tiny-run.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { writeTinyModel } from '../support/tiny-model-folder.ts';
import type { CountedToken } from './counted-generation.ts';
import { CountedProgram, type Outcome } from './counted-process.ts';
import type { CountedEvent } from './counted-run.ts';
import type { Counters } from './counters.ts';
import { FakeCuda } from './fake-cuda.ts';
import type { Use } from './wrong-use.ts';

const fake = await FakeCuda.open();
const missing = typeof fake === 'string' ? fake : undefined;
if (missing !== undefined) console.warn(`Tests of CUDA's own provider are skipped: ${missing}.`);

/** What uploads, downloads and memory are made of that does not grow with the model: scalars and constants. */
const SMALL = 4096;

/** The same of a token: sizes that shapes are made of. */
const SMALL_INPUTS = 512;

/** Of a test, which trains as a process up to three times beside others. */
vi.setConfig({ testTimeout: 120_000 });

/** Rows of three lengths, which make batches of three shapes. */
const LENGTHS = [230, 120, 40];

const rowsOf = (lengths: readonly number[]): string =>
  lengths
    .flatMap((length) => Array.from({ length: 8 }, (_, i) => ['x'.repeat(length), `${i}`] as const))
    .map(([question, answer]) => `${JSON.stringify({ question, answer })}\n`)
    .join('');

describe.skipIf(missing !== undefined)(`CUDA on a stand-in (${missing ?? 'built'})`, () => {
  let program: CountedProgram;
  let tiny: TinyRuns;

  beforeEach(async () => {
    program = await CountedProgram.bundle(fake as FakeCuda, 'counted-run.ts');
    tiny = await TinyRuns.create(await tempFolder());
  });

  /** A run with rows of some lengths. */
  async function trained(
    lengths: readonly number[],
    changes: ConfigChanges = {},
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Outcome & { readonly events: readonly CountedEvent[] }> {
    const rows = await tiny.file(`rows-${lengths.join('-')}.jsonl`, rowsOf(lengths));
    const text = tiny.configText({
      ...changes,
      engine: { device: 'cuda:0', ...changes.engine },
      data: {
        dataset_name_or_path: rows,
        max_length: 256,
        pad_to_multiple_of: 64,
        ...changes.data,
      },
      lora: { r: 4, target_modules: 'all-linear' },
      training: {
        per_device_train_batch_size: 8,
        max_steps: 6,
        save_steps: 100,
        ...changes.training,
      },
    });
    const file = await tiny.file('run.lorafa.json', text);
    const outcome = await program.run([file], environment);
    return { ...outcome, events: outcome.lines as CountedEvent[] };
  }

  function countersOf(
    events: readonly CountedEvent[],
    type: TrainEvent['type'],
  ): readonly Counters[] {
    return events.filter(({ event }) => event.type === type).map(({ counters }) => counters);
  }

  test('a step takes the batch up, and brings its loss and the norm of the gradient down', async () => {
    const { events, stderr, end } = await trained([230], {
      training: { gradient_accumulation_steps: 2, per_device_train_batch_size: 4, max_steps: 8 },
    });
    expect(stderr).toBe('');
    expect(end).toBe(0);
    const steps = countersOf(events, 'step');
    expect(steps).toHaveLength(8);
    // Two batches of 4 x 256 tokens: ids and positions of all, and row, target and weight of as many at most.
    const batches = 2 * 4 * 256 * (8 + 8 + 8 + 8 + 4);
    // The first makes the session; between the last and the one before nothing else happens.
    for (const [before, after] of steps.slice(1, -1).map((step, i) => [step, steps[i + 2]!])) {
      expect(after!.bytesUp - before!.bytesUp).toBeLessThanOrEqual(batches + SMALL);
      // Two losses and a norm, each a float32.
      expect(after!.bytesDown - before!.bytesDown).toBe(3 * 4);
      expect(after!.peak).toBe(steps[1]!.peak);
    }
  });

  test('weights are there once, and all that is computed shares the memory of the largest batch', async () => {
    const [alone, together] = [
      await trained(LENGTHS.slice(0, 1), { training: { max_steps: 3 } }),
      await trained(LENGTHS, {
        data: { eval_split: 0.3 },
        training: { sample_prompts: ['x'], eval_steps: 2, sample_steps: 3, max_steps: 6 },
      }),
    ];
    for (const { stderr, end } of [alone, together]) expect([stderr, end]).toEqual(['', 0]);
    const weights = (await stat(path.join(tiny.model, 'model.safetensors'))).size;
    const last = countersOf(together.events, 'completed')[0]!;
    const least = countersOf(alone.events, 'completed')[0]!;
    // What sessions compute with dominates, or this would say nothing.
    expect(least.peak).toBeGreaterThan(10 * weights);
    expect(countersOf(together.events, 'eval').length).toBeGreaterThan(2);
    expect(countersOf(together.events, 'sample').length).toBeGreaterThan(1);
    // With an arena for each session it would be the sum of all. Holes between blocks of so small a model are
    // a sixth; of a larger one, a fiftieth (BENCHMARKS.md).
    expect(last.peak).toBeLessThan(1.25 * least.peak);
    const uploads = together.events.filter(
      ({ event }) =>
        event.type === 'progress' && event.task.startsWith('copying weights to cuda:0'),
    );
    const totals = uploads.map(({ event }) => (event.type === 'progress' ? event.total : 0));
    // One upload for all of them, of the file but for its header.
    expect(new Set(totals)).toHaveLength(1);
    expect(totals[0]).toBeGreaterThan(0.9 * weights);
    expect(totals[0]).toBeLessThanOrEqual(weights);
  });

  test.each<
    readonly [
      name: string,
      device: 'auto' | 'cuda:0',
      compute: 'auto' | 'float32' | 'bfloat16',
      lengths: readonly number[],
      training: ConfigChanges['training'],
    ]
  >([
    ['one shape, in float32', 'cuda:0', 'float32', LENGTHS.slice(0, 1), {}],
    ['one shape, on what is chosen and in it', 'auto', 'auto', LENGTHS.slice(0, 1), {}],
    ['three shapes, and answers', 'cuda:0', 'float32', LENGTHS, { sample_prompts: ['x'] }],
    ['three shapes in order', 'cuda:0', 'bfloat16', LENGTHS, { per_device_train_batch_size: 4 }],
  ])(
    'a plan of a run that evaluates is within a tenth of its peak, with batches of %s',
    async (...row) => {
      const [, device, compute, lengths, training] = row;
      const model = tiny.fresh('wider');
      await writeTinyModel(model, {
        layers: 4,
        widths: { hidden_size: 128, intermediate_size: 256 },
      });
      const { events, stderr, end } = await trained(lengths, {
        model: { base_model_name_or_path: model },
        engine: { device, compute },
        data: { eval_split: 0.3 },
        training: { eval_steps: 2, ...training },
      });
      expect([stderr, end]).toEqual(['', 0]);
      const planning = await CountedProgram.bundle(fake as FakeCuda, 'counted-plan.ts');
      const planned = await planning.run([path.join(tiny.folder, 'run.lorafa.json')]);
      expect([planned.stderr, planned.end]).toEqual(['', 0]);
      const estimate = planned.lines[0] as RunEstimate;
      expect(estimate.device).toBe('cuda:0');
      const { peak } = countersOf(events, 'completed')[0]!;
      expect(Math.abs(estimate.memory.total / peak - 1)).toBeLessThan(0.1);
    },
  );

  test('a step is captured once for each shape and replayed from then on', async () => {
    const { events, stderr } = await trained([230], {
      training: { gradient_accumulation_steps: 2, per_device_train_batch_size: 4, max_steps: 8 },
    });
    expect(stderr).toBe('');
    const steps = countersOf(events, 'step');
    const [first, ...others] = steps.map(({ launches, graphLaunches }, i) => ({
      launches: launches - (steps[i - 1]?.launches ?? 0),
      graphLaunches: graphLaunches - (steps[i - 1]?.graphLaunches ?? 0),
    }));
    // Capturing needs a plain run of each graph before.
    expect(first!.launches).toBeGreaterThan(100);
    // Two batches, the norm of the gradient, and the update.
    for (const step of others) expect(step).toEqual({ launches: 0, graphLaunches: 4 });
    expect(events.filter(({ event }) => event.type === 'warning')).toEqual([]);
  });

  test.each(['auto', 'bfloat16'] as const)(
    'a step with engine.compute "%s" is in bfloat16, and captured',
    async (compute) => {
      const { events, stderr, end } = await trained([230], { engine: { compute } });
      expect([stderr, end]).toEqual(['', 0]);
      const [started] = events.flatMap(({ event }) =>
        event.type === 'started' ? [event.run] : [],
      );
      expect(started).toMatchObject({ device: 'cuda:0', compute: 'bfloat16' });
      const steps = countersOf(events, 'step');
      const [before, after] = steps.slice(-2);
      expect(after!.launches).toBe(before!.launches);
      expect(after!.graphLaunches - before!.graphLaunches).toBe(3);
      expect(events.filter(({ event }) => event.type === 'warning')).toEqual([]);
    },
  );

  test('eight bits have no kernels there, which the run says before it begins', async () => {
    const { stderr, end } = await trained([40], { engine: { compute: 'int8' } });
    expect(end).toBe(1);
    expect(stderr).toContain('`engine.compute` "int8" has no kernels for `engine.device` "cuda:0"');
  });

  test('a device that captures nothing computes launch by launch, and says so once', async () => {
    const { events, stderr, end } = await trained(LENGTHS, {}, { FAKE_CUDA_GRAPHS: '0' });
    expect(stderr).toBe('');
    expect(end).toBe(0);
    const steps = countersOf(events, 'step');
    expect(steps).toHaveLength(6);
    expect(steps.at(-1)!.graphLaunches).toBe(0);
    expect(steps.at(-1)!.launches).toBeGreaterThan(steps.at(-2)!.launches);
    const warnings = events.flatMap(({ event }) =>
      event.type === 'warning' ? [event.message] : [],
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('not captured as CUDA graphs');
  });

  test('what goes wrong during a capture and is no refusal ends the run with its reason', async () => {
    // cudaErrorIllegalAddress
    const { events, stderr, end } = await trained([40], {}, { FAKE_CUDA_GRAPHS: '700' });
    expect(end).toBe(1);
    expect(stderr).toContain('ONNX Runtime could not go on');
    expect(countersOf(events, 'step')).toEqual([]);
  });

  test('rows that make steps which cannot be captured are told once, with the reason', async () => {
    const { events, stderr, end } = await trained([150], {
      training: { per_device_train_batch_size: 4 },
    });
    expect([stderr, end]).toEqual(['', 0]);
    const warnings = events.flatMap(({ event }) =>
      event.type === 'warning' ? [event.message] : [],
    );
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^Steps are .* no multiple of 128 \(data\.pad_to_multiple_of\)/);
  });

  test('where rows of an evaluation alone cannot be captured, that is said of evaluations', async () => {
    const evaluated = await tiny.file('evaluated.jsonl', rowsOf([150]));
    const { events, stderr, end } = await trained([230], {
      data: { eval_dataset_name_or_path: evaluated },
      training: { eval_steps: 2, max_steps: 2, per_device_eval_batch_size: 4 },
    });
    expect([stderr, end]).toEqual(['', 0]);
    const warnings = events.flatMap(({ event }) =>
      event.type === 'warning' ? [event.message] : [],
    );
    expect(warnings).toEqual([
      expect.stringMatching(/^Evaluations are not captured as CUDA graphs, since .* 128/),
    ]);
  });

  test('an answer keeps its cache and its adapter on the device', async () => {
    const generation = await CountedProgram.bundle(fake as FakeCuda, 'counted-generation.ts');
    const { lines, stderr } = await generation.run([tiny.model]);
    expect(stderr).toBe('');
    const tokens = lines as CountedToken[];
    const second = tokens.slice(tokens.findIndex(({ length }) => length === 0) + 1);
    const steps = second.slice(1, -1).map(({ length, counters }, i) => ({
      length,
      up: counters.bytesUp - second[i]!.counters.bytesUp,
      down: counters.bytesDown - second[i]!.counters.bytesDown,
    }));
    expect(steps).toHaveLength(196);
    for (const { length, up, down } of steps) {
      // Token, position, slot, row of the logits, and the positions in all slots.
      const slots = length > 128 ? 256 : 128;
      expect(up).toBeLessThanOrEqual(8 * (4 + slots) + SMALL_INPUTS);
      // The logits.
      expect(down).toBe(4 * 260);
    }
    // All of the adapter and of the cache went up, or were made, with the first text.
    const [start] = second;
    const before = tokens[tokens.indexOf(start!) - 1]!;
    expect(start!.counters.bytesUp - before.counters.bytesUp).toBeLessThan(SMALL);
    // A text that has ended leaves nothing behind.
    expect(second.at(-1)!.counters.inUse).toBeLessThanOrEqual(before.counters.inUse);
  });

  test('a checkpoint brings down what it holds, and a run goes on from it', async () => {
    const output = tiny.fresh();
    const training = { output_dir: output, max_steps: 4, save_steps: 2 };
    const first = await trained([40], { training });
    expect(first.stderr).toBe('');
    const files = ['adapter_model.safetensors', 'optimizer.safetensors'];
    const sizes = await Promise.all(
      files.map(async (name) => (await stat(path.join(output, 'checkpoint-2', name))).size),
    );
    const [, before] = countersOf(first.events, 'step');
    const [after] = countersOf(first.events, 'checkpoint');
    const down = (after!.bytesDown - before!.bytesDown) / (sizes[0]! + sizes[1]!);
    // The files have headers as well; and B is looked at before, for none of its numbers may be broken.
    expect(down).toBeGreaterThan(0.7);
    expect(down).toBeLessThan(1.5);
    const resumed = await trained([40], {
      training: { ...training, resume_from_checkpoint: path.join(output, 'checkpoint-2') },
    });
    expect(resumed.stderr).toBe('');
    expect(countersOf(resumed.events, 'step')).toHaveLength(2);
  });

  /** What a run says at its end. */
  const lastWords = (stderr: string): string => stderr.trim().split('\n').at(-1)!;

  test('memory that ends is told in one sentence: what was needed, what is free, what helps', async () => {
    const { stderr, end } = await trained([230], {}, { FAKE_CUDA_GIB: '0.012' });
    expect(end).toBe(1);
    expect(lastWords(stderr)).toMatch(
      /^cuda:0 has too little memory: 4 MiB more were needed, and of 12 MiB \d MiB are free; start anew with a smaller training.per_device_train_batch_size or a smaller data.max_length or model.quantization "nf4".$/,
    );
    const none = await trained([230], {}, { FAKE_CUDA_GIB: '0.0005' });
    expect(lastWords(none.stderr)).toMatch(/^cuda:0 has too little memory: 2 KiB more were needed/);
  });

  test('the checkpoint before is whole, and the run goes on from it with a setting that the sentence names', async () => {
    const [rows, output] = [
      await tiny.file('held-out.jsonl', rowsOf([200, 200, 200])),
      tiny.fresh(),
    ];
    const attempt = (per_device_eval_batch_size: number, resume_from_checkpoint?: string) =>
      trained(
        [230],
        {
          data: { eval_dataset_name_or_path: rows },
          training: {
            ...{ output_dir: output, max_steps: 4, save_steps: 1, eval_steps: 2 },
            ...{ eval_on_start: false, gradient_checkpointing: 'none', per_device_eval_batch_size },
            ...(resume_from_checkpoint !== undefined && { resume_from_checkpoint }),
          },
        },
        // Room for a step of 8 rows, and for no evaluation of 24.
        { FAKE_CUDA_GIB: '0.045' },
      );
    const cut = await attempt(24);
    expect(cut.end).toBe(1);
    expect(countersOf(cut.events, 'step')).toHaveLength(2);
    expect(countersOf(cut.events, 'checkpoint')).toHaveLength(1);
    expect(lastWords(cut.stderr)).toContain('a smaller training.per_device_eval_batch_size');
    const resumed = await attempt(8, 'latest');
    expect([resumed.stderr, resumed.end]).toEqual(['', 0]);
    const steps = resumed.events.flatMap(({ event }) => (event.type === 'step' ? event.step : []));
    expect(steps).toEqual([2, 3, 4]);
    expect(countersOf(resumed.events, 'eval')).toHaveLength(2);
  });

  test('engine.max_memory_gib bounds what a run takes of the device', async () => {
    const peakOf = ({ events }: { readonly events: readonly CountedEvent[] }): number =>
      countersOf(events, 'completed')[0]!.peak;
    const needed = peakOf(await trained([230]));
    const within = await trained([230], { engine: { max_memory_gib: (1.05 * needed) / 2 ** 30 } });
    expect([within.stderr, within.end]).toEqual(['', 0]);
    // What lies unused between blocks of several shapes is taken by those who compute.
    const several: ConfigChanges = {
      data: { eval_split: 0.3 },
      training: { eval_steps: 2, gradient_checkpointing: 'none' },
    };
    const most = (1.05 * peakOf(await trained(LENGTHS, several))) / 2 ** 30;
    const all = await trained(LENGTHS, { ...several, engine: { max_memory_gib: most } });
    expect([all.stderr, all.end]).toEqual(['', 0]);
    const bound = 0.6 * needed;
    const { events, stderr, end } = await trained([230], {
      engine: { max_memory_gib: bound / 2 ** 30 },
    });
    expect(end).toBe(1);
    for (const { counters } of events) expect(counters.peak).toBeLessThan(bound);
    expect(lastWords(stderr)).toMatch(
      /^`engine.max_memory_gib` gives the run too little memory of cuda:0: \d+ [KM]iB more were needed, and \d+ [KM]iB of it are left; resume with a larger engine.max_memory_gib, or start anew/,
    );
    const tooFew = await trained([230], { engine: { max_memory_gib: 4e-4 } });
    expect(lastWords(tooFew.stderr)).toMatch(
      /^`engine.max_memory_gib` gives .* cuda:0: 4\d\d KiB .*; set a larger engine.max_memory_gib, or remove it.$/,
    );
  });

  test('wrong use is told by a typed error, and ends no process', async () => {
    const uses = await CountedProgram.bundle(fake as FakeCuda, 'wrong-use.ts');
    const { lines, stderr, end } = await uses.run();
    expect(stderr).toBe('');
    expect(end).toBe(0);
    const told = new Map((lines as Use[]).map(({ name, ...use }) => [name, use]));
    const right = [
      'what was written is read',
      'the memory that there is',
      'a run in place',
      'adapters in use, of which there are more than are kept',
      'numbers of the host in a session of a device',
      'a session of the CPU beside it',
    ];
    for (const name of right) expect(told.get(name), name).toEqual({});
    const ofTheDevice = ['more than the device has', 'a device that is not there'];
    expect(ofTheDevice.map((name) => told.get(name)?.code)).toEqual([
      'device.out_of_memory',
      'device.failed',
    ]);
    expect(told.get('the self-test of devices')?.message).toContain('computes wrongly');
    const others = [...told].filter(
      ([name]) => ![...right, ...ofTheDevice, 'the self-test of devices'].includes(name),
    );
    expect(others).toHaveLength(13);
    for (const [name, { code }] of others) expect(code, name).toBe('internal.graph');
  });
});
