import type { ExportFormat } from './export-format.ts';

/**
 * Every format that a result can be exported in, by its name. To add one: its file, which is loaded when it is
 * asked for, and its place here.
 */
export const EXPORT_FORMATS = {
  peft: {
    summary: 'the adapter alone as a PEFT folder, without what only training needs',
    dtypes: [],
    load: async () => (await import('./export-peft.ts')).planPeft,
  },
  merged: {
    summary: 'whole model as a Hugging Face folder (transformers, vLLM)',
    dtypes: ['f32', 'f16', 'bf16'],
    load: async () => (await import('./export-merged.ts')).planMerged,
  },
  gguf: {
    summary: 'whole model as one GGUF file (llama.cpp, LM Studio)',
    dtypes: ['f32', 'f16', 'bf16', 'q8_0', 'q4_k_m'],
    load: async () => (await import('./export-gguf.ts')).planGguf,
  },
  'gguf-adapter': {
    summary: 'the adapter alone as a GGUF file (llama.cpp, --lora)',
    dtypes: ['f32', 'f16', 'bf16', 'q8_0'],
    load: async () => (await import('./export-gguf-adapter.ts')).planGgufAdapter,
  },
  ollama: {
    summary: 'folder with a GGUF file and a Modelfile, for `ollama create`',
    dtypes: ['f32', 'f16', 'bf16', 'q8_0', 'q4_k_m'],
    load: async () => (await import('./export-ollama.ts')).planOllama,
  },
  onnx: {
    summary: 'whole model as a folder for ONNX Runtime GenAI and transformers.js',
    dtypes: ['f32', 'f16'],
    load: async () => (await import('./export-onnx.ts')).planOnnx,
  },
} as const satisfies Readonly<Record<string, ExportFormat>>;

export type ExportFormatName = keyof typeof EXPORT_FORMATS;
