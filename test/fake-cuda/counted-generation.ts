import { parseConfig } from '../../engine/config/parse.ts';
import { GenerationSessions } from '../../engine/generate/generation-sessions.ts';
import { initAdapter } from '../../engine/lora/init-adapter.ts';
import { resolveTargets } from '../../engine/lora/targets.ts';
import { openBaseModel } from '../../engine/models/base-model.ts';
import { type Counters, deviceCounters } from './counters.ts';
import { RUNTIME_LIBRARY } from './fake-cuda.ts';

/** What the device was asked for until some tokens were read. */
export interface CountedToken {
  /** Tokens of the text so far; 0 once it has ended. */
  readonly length: number;
  readonly counters: Counters;
}

/** Tokens that the two texts have. */
const LENGTH = 200;

/*
 * Reads two texts with an adapter on the stand-in, token by token after a first piece, with the model in the folder
 * that is the argument. Prints a line of JSON for each run.
 */
const model = await openBaseModel(process.argv[2]!);
const { lora } = parseConfig(
  JSON.stringify({
    model: { base_model_name_or_path: 'model' },
    data: { dataset_name_or_path: 'rows.jsonl' },
    lora: { r: 8, target_modules: 'all-linear' },
    training: { output_dir: 'run' },
  }),
  'run.lorafa.json',
);
const modules = resolveTargets(lora, model.config, model.name);
const adapter = { modules, weights: initAdapter(modules, 0) };
const { read } = deviceCounters(RUNTIME_LIBRARY);
const tell = (length: number): void => {
  const line: CountedToken = { length, counters: read() };
  process.stdout.write(`${JSON.stringify(line)}\n`);
};
const sessions = new GenerationSessions(model, { device: { kind: 'cuda', index: 0 }, threads: 1 });
for (let text = 0; text < 2; text++) {
  const sequence = await sessions.sequence(adapter);
  await sequence.append([1, 2, 3, 4]);
  tell(sequence.length);
  while (sequence.length < LENGTH) {
    await sequence.append([5]);
    tell(sequence.length);
  }
  sequence.release();
  tell(0);
}
await sessions.release();
