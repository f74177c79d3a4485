import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LorafaError } from '../../../engine/errors.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { releaseMade, Session } from '../../../engine/runtime/session.ts';

let session: Session;

beforeAll(async () => {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [2, 'n']);
  const y = b.input('y', 'float32', [2, 1]);
  session = await Session.create(b.finish({ sum: b.add(x, y), negative: b.neg(y) }));
});

afterAll(() => session.release());

const x = { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] };
const y = Float32Array.of(10, 20);

describe('a run', () => {
  test('takes arrays where the shape is known and tensors where it is not', async () => {
    const { sum, negative } = await session.run({ x, y });
    expect(sum).toEqual({ data: Float32Array.of(11, 12, 23, 24), shape: [2, 2] });
    expect(negative).toEqual({ data: Float32Array.of(-10, -20), shape: [2, 1] });
  });

  test('sees what was written into an array since the last run', async () => {
    const changing = Float32Array.of(0, 0);
    await session.run({ x, y: changing });
    changing.set([5, 6]);
    expect((await session.run({ x, y: changing }))['negative']!.data).toEqual(
      Float32Array.of(-5, -6),
    );
  });

  test('fills the arrays that it is given for results', async () => {
    const target = new Float32Array(2);
    await session.run({ x, y }, { negative: target });
    expect(target).toEqual(Float32Array.of(-10, -20));
  });

  test('ignores feeds that the graph has no input for', async () => {
    await expect(session.run({ x, y, other: y })).resolves.toBeDefined();
  });
});

test('small arrays, which V8 moves, are read and filled where they are', async () => {
  const b = new GraphBuilder();
  const inputs = Array.from({ length: 40 }, (_, index) => b.input(`x${index}`, 'float32', [1]));
  const outputs = inputs.map((input, index) => [`y${index}`, b.neg(input)] as const);
  const many = await Session.create(b.finish(Object.fromEntries(outputs)));
  const target = new Float32Array(1);
  for (let round = 0; round < 50; round++) {
    const feeds = inputs.map(({ name }, index) => [name, Float32Array.of(round + index)] as const);
    const results = await many.run(Object.fromEntries(feeds), { y0: target });
    // Garbage enough for what is young to be moved.
    Array.from({ length: 20_000 }, () => new Float32Array(2));
    expect(target).toEqual(Float32Array.of(-round));
    expect(results['y39']!.data).toEqual(Float32Array.of(-round - 39));
  }
  await many.release();
});

test('a thousand sessions leave nothing behind', async () => {
  const b = new GraphBuilder();
  const input = b.input('x', 'float32', [64, 64]);
  const graph = b.finish({ y: b.gemm(input, input) });
  const feeds = { x: new Float32Array(64 * 64) };
  const one = async (): Promise<void> => {
    const created = await Session.create(graph, { threads: 1 });
    await created.run(feeds);
    await created.release();
  };
  for (let i = 0; i < 100; i++) await one();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 900; i++) await one();
  expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 2 ** 20);
});

describe('a mistake of the caller is named', () => {
  test('a run after the release', async () => {
    const b = new GraphBuilder();
    const gone = await Session.create(b.finish({ y: b.neg(b.input('x', 'float32', [2])) }));
    await gone.release();
    await gone.release();
    await expect(gone.run({ x: Float32Array.of(1, 2) })).rejects.toMatchObject({
      code: 'internal.graph',
      message: expect.stringContaining('after its release'),
    });
  });

  test.each([
    ['a missing feed', () => session.run({ x }), 'the input y was not fed'],
    [
      'an array of the wrong length',
      () => session.run({ x, y: Float32Array.of(1) }),
      'y was given 1 elements for the shape [2, 1]',
    ],
    [
      'a tensor that does not fill its shape',
      () => session.run({ x: { data: Float32Array.of(1), shape: [2, 2] }, y }),
      'x was given 1 elements for the shape [2, 2]',
    ],
    [
      'a bare array for an unknown size',
      () => session.run({ x: Float32Array.of(1, 2), y }),
      'x was given 2 elements for the shape [2, n]',
    ],
    [
      'a result array of the wrong length',
      () => session.run({ x, y }, { negative: new Float32Array(3) }),
      'was given 3 elements for the shape [2, 1]',
    ],
  ])('%s', async (_, run, words) => {
    const error: unknown = await run().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LorafaError);
    expect(error).toMatchObject({
      code: 'internal.graph',
      message: expect.stringContaining(words),
    });
  });

  test('half precision does not cross the border', async () => {
    const b = new GraphBuilder();
    const half = b.input('half', 'float16', [1]);
    const created = await Session.create(b.finish({ y: b.cast(half, 'float32') }));
    await expect(created.run({ half: Float32Array.of(1) })).rejects.toThrow(
      'half is float16, not for JavaScript',
    );
    await created.release();
  });
});

test('what ONNX Runtime says about a graph that it cannot load is for the log, not for people', async () => {
  const b = new GraphBuilder();
  const half = b.input('half', 'bfloat16', [1]);
  // No processor has a kernel for it.
  await expect(Session.create(b.finish({ y: b.sqrt(half) }))).rejects.toMatchObject({
    code: 'device.failed',
    message:
      'ONNX Runtime could not start on cpu; try smaller batches or shorter rows, or another engine.device.',
    detail: expect.stringContaining('Sqrt'),
  });
});

test('a tensor of another shape than the graph says is refused by ONNX Runtime in its own words', async () => {
  const wrong = { data: Float32Array.of(1, 2, 3), shape: [3, 1] };
  await expect(session.run({ x: wrong, y })).rejects.toMatchObject({ code: 'device.failed' });
});

test('one value may be several outputs, and an input may be one', async () => {
  const b = new GraphBuilder();
  const input = b.input('x', 'float32', [2]);
  const negative = b.neg(input);
  const created = await Session.create(b.finish({ a: negative, b: negative, same: input }));
  const results = await created.run({ x: Float32Array.of(1, 2) });
  expect(
    Object.fromEntries(Object.entries(results).map(([k, { data }]) => [k, [...data]])),
  ).toEqual({ a: [-1, -2], b: [-1, -2], same: [1, 2] });
  await created.release();
});

test('of sessions that are released together one that could not be made is nothing to release', async () => {
  const b = new GraphBuilder();
  const made = Session.create(b.finish({ y: b.neg(b.input('x', 'float32', [1])) }));
  await releaseMade([Promise.reject(new Error('no room')), made]);
  await expect((await made).run({ x: Float32Array.of(1) })).rejects.toThrow('after its release');
});
