import { describe, expect, test } from 'vitest';
import { loraSection } from '../../../engine/config/lora-section.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import { graphToText } from '../../../engine/graph/text.ts';
import type { Value } from '../../../engine/graph/value.ts';
import { loraAName, loraBName } from '../../../engine/lora/lora-module.ts';
import { resolveTargets } from '../../../engine/lora/targets.ts';
import { writeOnnx } from '../../../engine/onnx/writer.ts';
import { BATCH_INPUTS, trainingGraph } from '../../../engine/step/training-graph.ts';
import { goldenModel } from '../train/golden-case.ts';

type Trained = 'none' | 'B' | 'A and B';

async function build(
  trained: Trained,
  recompute: 'none' | 'attention' | 'layer' = 'none',
  dropout = 0,
): Promise<Graph> {
  const model = await goldenModel('smollm2-bf16');
  const modules = resolveTargets(loraSection.parse({ r: 4 }), model.config, model.name);
  const names = modules.flatMap(({ name }) => [
    ...(trained === 'A and B' ? [loraAName(name)] : []),
    ...(trained === 'none' ? [] : [loraBName(name)]),
  ]);
  return trainingGraph({
    model,
    modules,
    shape: { rows: 2, length: 8, lossTokens: 16 },
    trainable: names,
    trainBase: false,
    dropout,
    recompute,
  });
}

const count = (graph: Graph, op: string): number =>
  graph.values.filter((value) => value.op === op).length;

describe('the graph of a step', () => {
  test.each([
    ['none', 'none'],
    ['B', 'none'],
    ['B', 'attention'],
    ['B', 'layer'],
    ['A and B', 'none'],
  ] as const)('computes nothing in vain: %s trained, %s recomputed', async (trained, recompute) => {
    const graph = await build(trained, recompute);
    expect(removeDeadCode(graph).values).toEqual(graph.values);
  });

  test('has a name for every value', async () => {
    const { values } = await build('B', 'layer', 0.1);
    expect(new Set(values.map(({ name }) => name)).size).toBe(values.length);
  });

  test('computes every value after those it is made from', async () => {
    const { values } = await build('B', 'attention', 0.1);
    const seen = new Set<unknown>();
    for (const value of values) {
      expect(
        value.inputs.every((input) => seen.has(input)),
        value.name,
      ).toBe(true);
      seen.add(value);
    }
  });

  test('for LoRA-FA lacks the products that only the gradient of A needs', async () => {
    const [lorafa, lora] = [await build('B'), await build('A and B')];
    // Of 14 layers each: dA; of the first three (q, k, v of layer 0) also B's part of it, which no
    // gradient further back needs.
    expect(count(lora, 'gemm') - count(lorafa, 'gemm')).toBe(14 + 3);
  });

  test('holds the upcast of one bf16 weight at a time', async () => {
    const { values } = await build('B');
    const isUpcast = ({ op, inputs }: Value) => op === 'cast' && inputs[0]!.op === 'weight';
    const upcasts = values.filter(isUpcast);
    expect(upcasts.length).toBeGreaterThan(14);
    upcasts.forEach((upcast, i) => {
      const lastUse = values.findLastIndex(({ inputs }) => inputs.includes(upcast));
      const next = upcasts[i + 1];
      expect(lastUse).toBeGreaterThan(values.indexOf(upcast));
      if (next !== undefined) expect(lastUse, upcast.name).toBeLessThan(values.indexOf(next));
    });
  });

  test('takes the seed of dropout only where there is dropout', async () => {
    const inputs = (graph: Graph): string[] =>
      graph.values.filter(({ op }) => op === 'input').map(({ name }) => name);
    expect(inputs(await build('B'))).not.toContain(BATCH_INPUTS.dropoutSeed);
    expect(inputs(await build('B', 'none', 0.1))).toContain(BATCH_INPUTS.dropoutSeed);
    expect(inputs(await build('none', 'none', 0.1))).not.toContain(BATCH_INPUTS.dropoutSeed);
  });

  test('crosses the border to a device only as float32 and int64', async () => {
    const graph = await build('B', 'none', 0.1);
    const inputs = graph.values.filter(({ op }) => op === 'input');
    for (const { dtype } of [...inputs, ...graph.outputs.values()]) {
      expect(['float32', 'int64']).toContain(dtype);
    }
  });

  test('is the same, to the letter and to the byte, every time', async () => {
    const [one, two] = [await build('B', 'layer', 0.1), await build('B', 'layer', 0.1)];
    expect(graphToText(two)).toBe(graphToText(one));
    expect(Buffer.compare(writeOnnx(two), writeOnnx(one))).toBe(0);
  });
});
