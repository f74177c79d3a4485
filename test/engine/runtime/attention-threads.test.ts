import { symlink } from 'node:fs/promises';
import path from 'node:path';
import koffi from 'koffi';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AttentionSizes } from '../../../engine/graph/ops/attention.ts';
import { Random } from '../../../engine/random.ts';
import type { AttentionJob } from '../../../engine/runtime/attention-job.ts';
import { attentionShares } from '../../../engine/runtime/attention-shares.ts';
import { AttentionThreads } from '../../../engine/runtime/attention-threads.ts';
import type { Pointer } from '../../../engine/runtime/c-api.ts';
import { Onednn } from '../../../engine/runtime/onednn.ts';
import { onednnLibrary } from '../../../engine/runtime/onednn-library.ts';
import { SharedPool } from '../../../engine/runtime/shared-pool.ts';
import { SplitAttention } from '../../../engine/runtime/split-attention.ts';
import { hasBfloat16 } from '../../support/bfloat16.ts';
import { bundledProgram } from '../../support/bundled-program.ts';

const GQA: AttentionSizes = {
  ...{ rows: 1, length: 290, numHeads: 6, numKeyValueHeads: 3, headDim: 16 },
  ...{ window: 200, products: 'bfloat16' },
};

/** Milliseconds within which a thread begins, however busy the machine is. */
const PATIENCE = 20_000;

/** Milliseconds that the thread of `programs/late-thread.ts` takes. */
const LATE = 300;

async function threadProgram(): Promise<string> {
  const program = await bundledProgram('engine/runtime/attention-thread.ts', ['koffi']);
  await symlink(path.resolve('node_modules'), path.join(path.dirname(program), 'node_modules'));
  return program;
}

async function started(count: number, program?: string): Promise<AttentionThreads> {
  const threads = new AttentionThreads(onednnLibrary()!, program ?? (await threadProgram()));
  await threads.start(count);
  onTestFinished(async () => {
    await Promise.all(indices(count).map((i) => threads.at(i)?.worker.terminate()));
  });
  return threads;
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Inputs of attention and room for its results, where native code sees them. */
function tensors(sizes: AttentionSizes) {
  const { rows, length, numHeads, numKeyValueHeads, headDim } = sizes;
  const [ofQueries, ofKeys] = [numHeads, numKeyValueHeads].map(
    (heads) => rows * length * heads * headDim,
  ) as [number, number];
  const random = new Random(3);
  const draw = (size: number) => Float32Array.from({ length: size }, () => random.normal());
  const [query, gradient] = [draw(ofQueries), draw(ofQueries)];
  const [key, value] = [draw(ofKeys), draw(ofKeys)];
  const beginnings = Float32Array.from({ length: rows * length }, (_, i) =>
    i % length < 130 ? 0 : 130,
  );
  const [result, gradients] = [
    new Float32Array(ofQueries),
    new Float32Array(ofQueries + 2 * ofKeys),
  ];
  const at = (array: Float32Array): Pointer => koffi.address(array) as Pointer;
  return {
    inputs: { query: at(query), key: at(key), value: at(value), beginnings: at(beginnings) },
    gradient: at(gradient),
    result,
    gradients,
    at,
    // Memory whose address alone is known would be collected.
    kept: [query, key, value, beginnings, gradient],
  };
}

/** All that attention computes, by so many threads. */
function computed(threads: AttentionThreads, count: number, sizes = GQA) {
  const onednn = new Onednn(onednnLibrary()!);
  onednn.useThreads(count);
  const attention = new SplitAttention(onednn, new SharedPool(), sizes, threads);
  const { inputs, gradient, result, gradients, at, kept } = tensors(sizes);
  attention.attend(inputs, at(result));
  attention.gradients(inputs, gradient, at(gradients));
  attention.release();
  expect(kept).toHaveLength(5);
  return bits(result, gradients);
}

/** For comparisons: those of arrays of numbers take seconds. */
function bits(...arrays: readonly Float32Array[]): Buffer {
  return Buffer.concat(arrays.map(({ buffer }) => Buffer.from(buffer as ArrayBuffer)));
}

/** How many queries a share has. */
function queriesOf(threads: number, share: number): number {
  return attentionShares(GQA, threads)
    [share]!.flatMap(({ blocks }) => blocks)
    .reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Has one thread compute its share of the gradients. */
function sharesOf(threads: AttentionThreads, index: number, count: number) {
  const { inputs, gradient, gradients, at, kept } = tensors(GQA);
  gradients.fill(Number.NaN);
  const job: AttentionJob = {
    ...{ kind: 'gradients', sizes: GQA, threads: count, share: index + 1 },
    ...{ inputs, gradient, result: at(gradients) },
  };
  const thread = threads.at(index)!;
  thread.post(job);
  const sums = thread.finish({ patience: PATIENCE });
  expect(kept).toHaveLength(5);
  return { isDone: sums !== undefined, gradients };
}

describe.runIf(hasBfloat16)('attention by threads', () => {
  test('each computes what the main thread would compute of its share', async () => {
    const program = await threadProgram();
    const alone = new AttentionThreads(onednnLibrary()!, path.resolve('no-such-program.mjs'));
    await alone.start(2);
    expect(alone.at(0)).toBeUndefined();
    for (const count of [2, 3]) {
      const threads = await started(count - 1, program);
      const all = computed(alone, count);
      const gradientsAlone = new Float32Array(
        all.buffer.slice(all.byteOffset, all.byteOffset + all.length),
      ).subarray(GQA.length * GQA.numHeads * GQA.headDim);
      for (const index of indices(count - 1)) {
        const { isDone, gradients } = sharesOf(threads, index, count);
        expect(isDone).toBe(true);
        // Of queries, a share is the blocks that nobody else writes.
        const written = [...gradients.keys()].filter((i) => !Number.isNaN(gradients[i]));
        expect(written).toHaveLength(queriesOf(count, index + 1) * GQA.numHeads * GQA.headDim);
        expect(written.every((i) => gradients[i] === gradientsAlone[i])).toBe(true);
      }
      for (let repetition = 0; repetition < 3; repetition++) {
        expect(computed(threads, count).equals(all)).toBe(true);
      }
    }
  });

  test('one thread that is killed is done without', async () => {
    const threads = await started(1);
    const expected = computed(threads, 2);
    const ended = threads.at(0)!.worker.terminate();
    // Before anybody could have heard of it.
    expect(computed(threads, 2).equals(expected)).toBe(true);
    await ended;
    expect(threads.at(0)).toBeUndefined();
    expect(computed(threads, 2).equals(expected)).toBe(true);
    await threads.start(1);
    expect(threads.at(0)).toBeDefined();
  });

  test('a share that goes wrong in another thread is computed here', async () => {
    const threads = await started(1);
    const thread = threads.at(0)!;
    const { inputs, at, result } = tensors(GQA);
    const job = { kind: 'attend', inputs, gradient: 0n, result: at(result) } as const;
    // A size that no matrix has.
    thread.post({ ...job, sizes: { ...GQA, headDim: -1 }, threads: 2, share: 1 });
    expect(thread.finish({ patience: PATIENCE })).toBeUndefined();
    // It goes on all the same.
    expect(sharesOf(threads, 0, 2).isDone).toBe(true);
  });

  test('a thread that dies over its share is heard of at once, and its share is computed here', async () => {
    const program = await bundledProgram(
      path.join(import.meta.dirname, 'programs/dying-thread.ts'),
    );
    const threads = await started(1, program);
    const expected = computed(new AttentionThreads(onednnLibrary()!, 'no-such-program.mjs'), 2);
    const thread = threads.at(0)!;
    const { inputs, at, result } = tensors(GQA);
    const job = { kind: 'attend', inputs, gradient: 0n, result: at(result) } as const;
    thread.post({ ...job, sizes: GQA, threads: 2, share: 1 });
    expect(thread.finish({ patience: PATIENCE })).toBeUndefined();
    expect(threads.at(0)).toBeUndefined();
    expect(computed(threads, 2).equals(expected)).toBe(true);
  });

  test('a thread that does not end is given up with an error, and what it answers later is read by nobody', async () => {
    const program = await bundledProgram(path.join(import.meta.dirname, 'programs/late-thread.ts'));
    const threads = await started(1, program);
    const thread = threads.at(0)!;
    const { inputs, at, result } = tensors(GQA);
    const job = { kind: 'attend', inputs, gradient: 0n, result: at(result) } as const;
    thread.post({ ...job, sizes: GQA, threads: 2, share: 1 });
    expect(() => thread.finish({ patience: PATIENCE, limit: 10 })).toThrow(
      expect.objectContaining({ code: 'device.failed' }),
    );
    expect(threads.at(0)).toBeUndefined();
    // Also where somebody has it still, as the one has who asked.
    thread.post({ ...job, sizes: GQA, threads: 2, share: 1 });
    expect(thread.finish({ patience: 2 * LATE })).toBeUndefined();
  });

  test('two that ask for threads at the same time get the same ones', async () => {
    const threads = new AttentionThreads(onednnLibrary()!, await threadProgram());
    onTestFinished(async () => void (await threads.at(0)?.worker.terminate()));
    const created: number[] = [];
    const count = ({ threadId }: { readonly threadId: number }) => void created.push(threadId);
    process.on('worker', count);
    onTestFinished(() => void process.off('worker', count));
    await Promise.all([threads.start(1), threads.start(1)]);
    expect(created).toHaveLength(1);
  });
});
