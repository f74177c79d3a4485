import type { ExportFormat } from './export-format.ts';

/**
 * Every format that a result can be exported in, by its name. To add one: its file, which is loaded when it is
 * asked for, and its place here.
 */
export const EXPORT_FORMATS = {
  merged: {
    summary: 'whole model as a Hugging Face folder (transformers, vLLM)',
    dtypes: ['f32', 'f16', 'bf16'],
    load: async () => (await import('./export-merged.ts')).planMerged,
  },
  gguf: {
    summary: 'whole model as one GGUF file (llama.cpp, LM Studio)',
    dtypes: ['f32', 'f16', 'bf16', 'q8_0'],
    load: async () => (await import('./export-gguf.ts')).planGguf,
  },
} as const satisfies Readonly<Record<string, ExportFormat>>;

export type ExportFormatName = keyof typeof EXPORT_FORMATS;
