import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { lacks, REFERENCE_PYTHON } from '../support/reference-python.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** As files have them, some with keys that no golden model has; the sizes are made small. */
const CONFIGS: Readonly<Record<string, object>> = {
  'a Llama with biases, one head for keys, another activation and stretched positions': {
    model_type: 'llama',
    attention_bias: true,
    mlp_bias: true,
    hidden_act: 'gelu_pytorch_tanh',
    hidden_size: 960,
    head_dim: 80,
    num_hidden_layers: 3,
    num_attention_heads: 12,
    num_key_value_heads: 1,
    rope_theta: 123_456,
    rope_scaling: { rope_type: 'linear', factor: 3 },
    tie_word_embeddings: true,
  },
  'a Gemma 3 with another pattern, and biases': {
    model_type: 'gemma3_text',
    attention_bias: true,
    num_hidden_layers: 4,
    sliding_window_pattern: 3,
    query_pre_attn_scalar: 168,
  },
  'a GPT-2 with scores as they are and an MLP of another width': {
    model_type: 'gpt2',
    activation_function: 'gelu',
    n_embd: 1280,
    n_head: 20,
    n_layer: 3,
    n_inner: 300,
    scale_attn_weights: false,
  },
  'the text of a model that reads images, with what is left out': {
    model_type: 'gemma3',
    text_config: {
      model_type: 'gemma3_text',
      hidden_size: 2560,
      num_hidden_layers: 34,
      rope_scaling: { factor: 8, rope_type: 'linear' },
      sliding_window: 1024,
    },
    vision_config: { model_type: 'siglip_vision_model', hidden_size: 1152 },
  },
};

const script = path.resolve(import.meta.dirname, '../../scripts/verify-architecture.mjs');
const TIMEOUT = 900_000;

interface Verified {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function verify(config: object): Promise<Verified> {
  const file = path.join(await tempFolder(), 'config.json');
  await writeFile(file, JSON.stringify(config));
  const env = { ...process.env, LORAFA_REFERENCE_PYTHON: REFERENCE_PYTHON, NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, [script, file], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

describe.skipIf(lacks('peft'))(
  'npm run verify-architecture (needs a Python with transformers and PEFT: LORAFA_REFERENCE_PYTHON)',
  { timeout: TIMEOUT },
  () => {
    test.each(Object.keys(CONFIGS))('%s: all comparisons are made, and hold', async (name) => {
      const { code, stdout, stderr } = await verify(CONFIGS[name]!);
      expect(code, `${stdout}\n${stderr}`).toBe(0);
      for (const compared of [
        'verified, whole, in chunks and token by token',
        'verified goes on with the same tokens',
        'logits of peft > verified',
        'twenty steps equal those of torch, transformers and peft > verified',
      ]) {
        expect(stdout).toMatch(new RegExp(`✓.*${compared}`));
      }
    });

    test('what transformers does not know is told in a sentence', async () => {
      const { code, stderr } = await verify({ model_type: 'lamma' });
      expect(code).toBe(1);
      expect(stderr).toContain("knows no model_type 'lamma'");
      expect(stderr).not.toContain('Traceback');
    });
  },
);
