/*
 * Continues prompts with llama.cpp, from GGUF files that were exported.
 *
 *     node check_gguf_llama.mjs MODULES < TASKS
 *
 * MODULES is a folder where `npm install --ignore-scripts node-llama-cpp@3.21.1` was run. TASKS is
 * `[{folder, adapter, prompt, count}]` with a file for the folder, and one for the adapter where there is any; what is printed is `[tokens]`: the likeliest ones after those
 * of the prompt, up to an end, or null for a model that llama.cpp does not load.
 */
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const entry = path.join(process.argv[2], 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
const { getLlama } = await import(pathToFileURL(path.resolve(entry)).href);
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'disabled', maxThreads: 1 });

async function continued({ folder, adapter, prompt, count }) {
  const model = await llama.loadModel({ modelPath: folder });
  try {
    const context = await model.createContext({ contextSize: 256, threads: 1, lora: adapter });
    const tokens = [];
    const options = { temperature: 0, yieldEogToken: true };
    for await (const token of context.getSequence().evaluate([...prompt], options)) {
      tokens.push(token);
      if (tokens.length === count || model.isEogToken(token)) break;
    }
    return tokens;
  } finally {
    await model.dispose();
  }
}

const answers = [];
for (const task of await json(process.stdin)) {
  answers.push(await continued(task).catch(() => null));
}
process.stdout.write(`${JSON.stringify(answers)}\n`);
process.exit();
