import { expect, test } from 'vitest';
import { gradients } from '../../../engine/graph/autodiff.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import { removeDeadCode } from '../../../engine/graph/passes/dead-code.ts';
import { graphToText } from '../../../engine/graph/text.ts';
import { loraLinear } from '../../../engine/lora/lora-linear.ts';
import { loraAName, loraBName } from '../../../engine/lora/lora-module.ts';
import { baseLayers } from '../../../engine/weights/base-linear.ts';
import { goldenModel } from '../train/golden-case.ts';

const MODULE = 'model.layers.0.self_attn.q_proj';

/** Forward and backward of one adapted layer, `loss = Σ y ⊙ y`, for the gradients of `trained`. */
async function adaptedLayer(trained: readonly ('A' | 'B')[]): Promise<Graph> {
  const { config } = await goldenModel('llama-tied');
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [8, 32]);
  const parameters = {
    compute: 'float32' as const,
    stored: (name: string) => b.weight(name, 'float32', [32, 32], FILE),
    has: (name: string) => name === `${MODULE}.weight`,
  };
  const linear = loraLinear({
    builder: b,
    base: baseLayers({ builder: b, config, parameters }),
    modules: [
      {
        name: MODULE,
        inFeatures: 32,
        outFeatures: 32,
        fanInFanOut: false,
        r: 4,
        loraAlpha: 8,
        scaling: 2,
      },
    ],
  });
  const y = linear(MODULE, x);
  const loss = b.reduceSum(b.mul(y, y), [0, 1]);
  const names = { A: loraAName(MODULE), B: loraBName(MODULE) };
  const wanted = trained.map((which) => b.values.find(({ name }) => name === names[which])!);
  const outputs = [...gradients(b, loss, wanted)].map(([{ name }, value]) => [name, value]);
  return removeDeadCode(b.finish(Object.fromEntries(outputs)));
}

const FILE = { file: 'model.safetensors', offset: 64, length: 4096 };

const LORA_FA = `%0 = input() : float32 [8, 32]  # x
%1 = input() : float32 [4, 32]  # base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight
%2 = input() : float32 [32, 4]  # base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight
%3 = weight() {data={"file":"model.safetensors","offset":64,"length":4096}} : float32 [32, 32]  # model.layers.0.self_attn.q_proj.weight
%4 = gemm(%0, %3) {transA=false transB=true alpha=1} : float32 [8, 32]  # model.layers.0.self_attn.q_proj/gemm_4
%5 = gemm(%0, %1) {transA=false transB=true alpha=2} : float32 [8, 4]  # model.layers.0.self_attn.q_proj/gemm_5
%6 = gemm(%5, %2, %4) {transA=false transB=true alpha=1} : float32 [8, 32]  # model.layers.0.self_attn.q_proj/gemm_6
%7 = constant() {data=[1]} : float32 []  # constants/constant_9
%8 = expand(%7) : float32 [1, 1]  # expand_10
%9 = expand(%8) : float32 [8, 32]  # backward/expand_11
%10 = mul(%9, %6) : float32 [8, 32]  # backward/mul_12
%11 = mul(%9, %6) : float32 [8, 32]  # backward/mul_13
%12 = add(%10, %11) : float32 [8, 32]  # backward.model.layers.0.self_attn.q_proj/add_14
%13 = gemm(%12, %5) {transA=true transB=false alpha=1} : float32 [32, 4]  # backward.model.layers.0.self_attn.q_proj/gemm_15
return base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight = %13
`;

test('the backward pass of LoRA-FA needs the r-wide product, never the full-width input', async () => {
  const graph = await adaptedLayer(['B']);
  expect(graphToText(graph)).toBe(LORA_FA);
  const x = graph.values[0]!;
  const readers = graph.values.filter(({ inputs }) => inputs.includes(x));
  expect(readers.map(({ name }) => name)).toEqual([`${MODULE}/gemm_4`, `${MODULE}/gemm_5`]);
});

test('with A trained too, the full-width input is read again', async () => {
  const graph = await adaptedLayer(['A', 'B']);
  const x = graph.values[0]!;
  const readers = graph.values.filter(({ inputs }) => inputs.includes(x));
  expect(readers.map(({ name }) => name.split('.')[0])).toEqual(['model', 'model', 'backward']);
});

test('equal graphs have equal text', async () => {
  expect(graphToText(await adaptedLayer(['A', 'B']))).toBe(
    graphToText(await adaptedLayer(['A', 'B'])),
  );
});

test('long lists are cut', () => {
  const b = new GraphBuilder();
  const graph = b.finish({ y: b.constant(Array(100).fill(7), [100]) });
  expect(graphToText(graph)).toBe(
    '%0 = constant() {data=[7,7,7,7,7,7,7,7,… 100]} : float32 [100]  # constant_0\nreturn y = %0\n',
  );
});
