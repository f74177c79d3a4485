import type { DecoderConfig } from '../architectures/decoder-config.ts';
import { longTextLength } from '../architectures/rotary-embedding.ts';

/** Families that transformers.js (4.3.1) has no class for. */
const UNKNOWN_TO_TRANSFORMERS_JS: ReadonlySet<string> = new Set(['glm4', 'mixtral']);

/** The length from which on ONNX Runtime GenAI reads texts of the type `phi3` again. */
const GENAI_READS_AGAIN = 4097;

/** Whether ONNX Runtime GenAI reads a text again where all of it is to be turned by other angles. */
export function genaiReadsAgain(config: DecoderConfig): boolean {
  return longTextLength(config) === GENAI_READS_AGAIN;
}

/** Sentences for people: what programs make of a model that is exported. */
export function onnxNotes(config: DecoderConfig): readonly string[] {
  const notes: string[] = [];
  if (UNKNOWN_TO_TRANSFORMERS_JS.has(config.family)) {
    notes.push(
      `transformers.js has no class for models of the type ${config.family}; ONNX Runtime GenAI loads the folder.`,
    );
  }
  const long = longTextLength(config);
  if (long !== null) {
    const programs = genaiReadsAgain(config)
      ? 'transformers.js does'
      : 'ONNX Runtime GenAI and transformers.js do';
    notes.push(
      `This model turns all of a text by other angles from ${long} tokens on, and ${programs} not read what was before again, so that a text that grows beyond goes on worse; begin it anew there.`,
    );
  }
  return notes;
}
