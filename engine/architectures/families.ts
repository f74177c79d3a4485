import { cohere2 } from './families/cohere2.ts';
import { gemma2 } from './families/gemma2.ts';
import { gemma3 } from './families/gemma3.ts';
import { glm4 } from './families/glm4.ts';
import { gptNeox } from './families/gpt-neox.ts';
import { gpt2 } from './families/gpt2.ts';
import { granite } from './families/granite.ts';
import { granite4 } from './families/granite4.ts';
import { llama } from './families/llama.ts';
import { ministral } from './families/ministral.ts';
import { ministral3 } from './families/ministral3.ts';
import { mistral } from './families/mistral.ts';
import { mixtral } from './families/mixtral.ts';
import { gemma3Multimodal, mistral3 } from './families/multimodal.ts';
import { olmo2 } from './families/olmo2.ts';
import { olmo3 } from './families/olmo3.ts';
import { phi3 } from './families/phi3.ts';
import { qwen2 } from './families/qwen2.ts';
import { qwen3 } from './families/qwen3.ts';
import { qwen3Moe } from './families/qwen3-moe.ts';
import { smollm3 } from './families/smollm3.ts';
import { starcoder2 } from './families/starcoder2.ts';
import type { Family } from './family.ts';

/** Every family of decoders that can be fine-tuned. To add one: its file, and its place here. */
export const FAMILIES: readonly Family[] = [
  llama,
  mistral,
  ministral,
  ministral3,
  mistral3,
  mixtral,
  qwen2,
  qwen3,
  qwen3Moe,
  gemma2,
  gemma3,
  gemma3Multimodal,
  phi3,
  olmo3,
  olmo2,
  granite,
  granite4,
  smollm3,
  cohere2,
  glm4,
  starcoder2,
  gptNeox,
  gpt2,
];
