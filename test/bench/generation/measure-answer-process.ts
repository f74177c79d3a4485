import { generationQuantization } from '../../../engine/generate/generation-quantization.ts';
import { inChunks } from '../../../engine/generate/generation-runs.ts';
import { GenerationSessions } from '../../../engine/generate/generation-sessions.ts';
import type { Sequence } from '../../../engine/generate/sequence.ts';
import { openBaseModel } from '../../../engine/models/base-model.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { letThreadsSpin } from '../../../engine/runtime/onednn-threads.ts';
import { printResult } from '../print-result.ts';
import { type AnswerRequest, type AnswerSpeed, promptIds } from './answer-speed.ts';

await printResult(() => measureAnswer(JSON.parse(process.argv[2] ?? '') as AnswerRequest));

/** Reads a prompt and goes on token by token, with this engine. */
async function measureAnswer(request: AnswerRequest): Promise<AnswerSpeed> {
  const quantization = await generationQuantization(CPU, null);
  const model = await openBaseModel(request.model, { quantization });
  letThreadsSpin();
  const sessions = new GenerationSessions(model, { threads: request.threads });
  const ids = promptIds(request.promptTokens);
  // Graphs are loaded by the first text, as they are before a user's second question.
  const first = await sessions.sequence(null);
  await read(first, ids);
  await first.append([ids[0]!]);
  const sequence = await sessions.sequence(null);
  const began = performance.now();
  await read(sequence, ids);
  const promptMs = performance.now() - began;
  const tokenMs: number[] = [];
  for (let i = 0; i < request.newTokens; i++) {
    const start = performance.now();
    await sequence.append([ids[i % ids.length]!]);
    tokenMs.push(performance.now() - start);
  }
  await sessions.release();
  return { promptMs, tokenMs, peakRss: 1024 * process.resourceUsage().maxRSS };
}

async function read(sequence: Sequence, ids: readonly number[]): Promise<void> {
  const chunks = inChunks(ids);
  for (const chunk of chunks.slice(0, -1)) await sequence.append(chunk, [], ids.length);
  await sequence.append(chunks.at(-1)!, undefined, ids.length);
}
