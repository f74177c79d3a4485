import { textPart } from '../text-part.ts';
import { gemma3 } from './gemma3.ts';
import { ministral3 } from './ministral3.ts';
import { mistral } from './mistral.ts';

/** Gemma 3 that reads images (transformers `modeling_gemma3.py`): its text part. */
export const gemma3Multimodal = textPart({
  className: 'Gemma3ForConditionalGeneration',
  modelType: 'gemma3',
  models: 'Gemma 3 4B, 12B, 27B (text part)',
  texts: [gemma3],
  gguf: gemma3.gguf,
});

/** Mistral Small 3.1 and later, and Ministral 3 (transformers `modeling_mistral3.py`): their text part. */
export const mistral3 = textPart({
  className: 'Mistral3ForConditionalGeneration',
  modelType: 'mistral3',
  models: 'Mistral Small 3.1 and 3.2, Ministral 3 (text part)',
  texts: [mistral, ministral3],
  gguf: ministral3.gguf,
});
