import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { newStateTensor } from '../../../engine/runtime/new-state-tensor.ts';
import { Session } from '../../../engine/runtime/session.ts';

/** Tensors of a device are used in test/fake-cuda. */
describe('a tensor on the host', () => {
  test('is the array that it was given, and zeros without one', () => {
    const values = Float32Array.of(1, 2, 3, 4);
    const tensor = newStateTensor(CPU, [2, 2], values);
    expect(tensor.read()).toBe(values);
    expect(tensor).toMatchObject({ shape: [2, 2], length: 4, device: CPU });
    tensor.write(Float32Array.of(5, 6, 7, 8));
    expect([...values]).toEqual([5, 6, 7, 8]);
    tensor.clear();
    expect(tensor.read()).toEqual(newStateTensor(CPU, [4]).read());
  });

  test('shares its numbers with its parts', () => {
    const tensor = newStateTensor(CPU, [2, 3]);
    const part = tensor.part(3, [3]);
    part.write(Float32Array.of(1, 2, 3));
    expect([...tensor.read()]).toEqual([0, 0, 0, 1, 2, 3]);
    expect([...part.part(1, [2]).read()]).toEqual([2, 3]);
  });

  test.each([1, 40])('is read and written in place by a run: %d numbers', async (size) => {
    const b = new GraphBuilder();
    const x = b.input('x', 'float32', [size]);
    const session = await Session.create(b.finish({ y: b.add(x, b.scalar(1)) }), { threads: 1 });
    const tensor = newStateTensor(CPU, [size]);
    const array = tensor.read();
    for (let run = 0; run < 3; run++) await session.run({ x: tensor }, { y: tensor });
    expect(tensor.read()).toBe(array);
    expect(array).toEqual(new Float32Array(size).fill(3));
    await session.release();
  });
});

describe('wrong use is an error that names the shape:', () => {
  const misuse = (message: string) => expect.objectContaining({ code: 'internal.graph', message });

  test('other numbers than fit', () => {
    const given = misuse('a tensor of the shape [2, 2] was given 3 numbers');
    expect(() => newStateTensor(CPU, [2, 2], new Float32Array(3))).toThrow(given);
    const tensor = newStateTensor(CPU, [2, 2]);
    expect(() => tensor.write(new Float32Array(3))).toThrow(given);
    const outside = misuse('a tensor of the shape [2, 2] was asked for its numbers 2 to 5');
    expect(() => tensor.part(2, [3])).toThrow(outside);
    expect(() => tensor.part(-1, [1])).toThrow(expect.objectContaining({ code: 'internal.graph' }));
  });

  test('anything after the release, of parts too', () => {
    const tensor = newStateTensor(CPU, [4]);
    const [part, inner] = [tensor.part(0, [2]), tensor.part(0, [2]).part(1, [1])];
    tensor.release();
    tensor.release();
    const used = (shape: string) =>
      misuse(`a tensor of the shape ${shape} was used after its release`);
    expect(() => tensor.read()).toThrow(used('[4]'));
    expect(() => tensor.write(new Float32Array(4))).toThrow(used('[4]'));
    expect(() => tensor.clear()).toThrow(used('[4]'));
    expect(() => part.read()).toThrow(used('[2]'));
    expect(() => inner.clear()).toThrow(used('[1]'));
  });

  test('a run with another shape, as input or result, or after the release', async () => {
    const b = new GraphBuilder();
    const graph = b.finish({ y: b.neg(b.input('x', 'float32', [2, 3])) });
    const session = await Session.create(graph, { threads: 1 });
    const turned = newStateTensor(CPU, [3, 2]);
    const shape = 'float32 [2, 3] and was given a tensor of float32 [3, 2]';
    const wrong = expect.objectContaining({
      code: 'internal.graph',
      message: expect.stringContaining(shape),
    });
    await expect(session.run({ x: turned })).rejects.toEqual(wrong);
    const x = newStateTensor(CPU, [2, 3]);
    await expect(session.run({ x }, { y: turned })).rejects.toEqual(wrong);
    x.release();
    await expect(session.run({ x })).rejects.toMatchObject({ code: 'internal.graph' });
    await session.release();
  });
});
