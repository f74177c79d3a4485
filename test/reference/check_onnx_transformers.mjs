/*
 * Continues prompts with transformers.js, from folders that were exported.
 *
 *     node check_onnx_transformers.mjs MODULES < TASKS
 *
 * MODULES is a folder where `npm install --ignore-scripts @huggingface/transformers@4.3.1` was run. TASKS is
 * `[{folder, prompt, count}]`, what is printed `[tokens]`: the likeliest ones after those of the prompt, up to an end.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

const require = createRequire(path.join(path.resolve(process.argv[2]), 'package.json'));
const { AutoModelForCausalLM, Tensor, env } = await import(
  pathToFileURL(require.resolve('@huggingface/transformers')).href
);
env.allowRemoteModels = false;

const tensor = (values) =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);

const answers = [];
for (const { folder, prompt, count } of await json(process.stdin)) {
  env.localModelPath = path.dirname(folder);
  const model = await AutoModelForCausalLM.from_pretrained(path.basename(folder));
  const output = await model.generate({
    input_ids: tensor(prompt),
    attention_mask: tensor(prompt.map(() => 1)),
    max_new_tokens: count,
    do_sample: false,
  });
  answers.push(output.tolist()[0].slice(prompt.length).map(Number));
  await model.dispose();
}
process.stdout.write(JSON.stringify(answers));
