// The same as measure-answer-process.ts with llama.cpp. Arguments: the folder of the package
// node-llama-cpp, and an AnswerRequest with the tokens of the prompt as JSON.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [, , folder, json] = process.argv;
const { model: modelPath, promptIds, newTokens, threads } = JSON.parse(json);
const { getLlama } = await import(pathToFileURL(path.join(folder, 'dist', 'index.js')).href);
const llama = await getLlama({
  gpu: false,
  build: 'never',
  logLevel: 'error',
  maxThreads: threads,
});
const model = await llama.loadModel({ modelPath });
const contextSize = promptIds.length + newTokens + 8;
const context = await model.createContext({ contextSize, batchSize: 512, threads });

const first = context.getSequence();
await first.evaluateWithoutGeneratingNewTokens(promptIds);
await first.clearHistory();
const began = performance.now();
await first.evaluateWithoutGeneratingNewTokens(promptIds);
const promptMs = performance.now() - began;
const tokenMs = [];
for (let i = 0; i < newTokens; i++) {
  const start = performance.now();
  await first.evaluateWithoutGeneratingNewTokens([promptIds[i % promptIds.length]]);
  tokenMs.push(performance.now() - start);
}
const peakRss = 1024 * process.resourceUsage().maxRSS;
process.stdout.write(`${JSON.stringify({ promptMs, tokenMs, peakRss })}\n`);
process.exit();
