import { readFile } from 'node:fs/promises';
import { parseConfig } from '../../engine/config/parse.ts';
import { GenerationSessions } from '../../engine/generate/generation-sessions.ts';
import { initAdapter } from '../../engine/lora/init-adapter.ts';
import { resolveTargets } from '../../engine/lora/targets.ts';
import { openBaseModel } from '../../engine/models/base-model.ts';
import { CPU, type Device } from '../../engine/runtime/device.ts';
import { relativeError } from '../support/golden.ts';

/** How far WebGPU's logits are from the CPU's. */
export interface ComparedLogits {
  readonly model: string;
  /** Of each run. */
  readonly errors: readonly number[];
  /** Tokens that both choose. */
  readonly tokens: readonly number[];
}

/** More than the slots that a cache begins with are taken. */
const PROMPT = Array.from({ length: 150 }, (_, i) => (7 * i + 3) % 90);
/** Tokens of its first piece, whose logits nobody wants. */
const PIECE = 100;
const ANSWER = 8;

/*
 * Answers a prompt token by token on the CPU and with WebGPU, both with the token that the CPU finds likeliest. The
 * argument is a file with a list of folders of models; prints a line of JSON for each.
 */
for (const folder of JSON.parse(await readFile(process.argv[2]!, 'utf8')) as readonly string[]) {
  process.stdout.write(`${JSON.stringify(await compared(folder))}\n`);
}

async function compared(folder: string): Promise<ComparedLogits> {
  const model = await openBaseModel(folder);
  const { lora } = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: folder },
      data: { dataset_name_or_path: 'rows.jsonl' },
      lora: { r: 4, target_modules: 'all-linear' },
      training: { output_dir: 'run' },
    }),
    'run.lorafa.json',
  );
  const modules = resolveTargets(lora, model.config, model.name);
  const weights = new Map(
    [...initAdapter(modules, 0)].map(([name, values]) => [
      name,
      // An adapter with B of zeros would change nothing.
      Float32Array.from(values, (value, i) => (value === 0 ? 0.02 * Math.sin(i) : value)),
    ]),
  );
  const open = (device: Device) => new GenerationSessions(model, { device, threads: 1 });
  const sessions = [open(CPU), open({ kind: 'webgpu', index: 0 })] as const;
  const texts = await Promise.all(sessions.map((each) => each.sequence({ modules, weights })));
  const errors: number[] = [];
  const tokens: number[] = [];
  for (const text of texts) await text.append(PROMPT.slice(0, PIECE), [], PROMPT.length);
  let next: readonly number[] = PROMPT.slice(PIECE);
  while (tokens.length < ANSWER) {
    const [expected, actual] = [await texts[0]!.append(next), await texts[1]!.append(next)];
    errors.push(relativeError(actual, expected));
    const likeliest = expected.indexOf(Math.max(...expected));
    tokens.push(likeliest);
    next = [likeliest];
  }
  for (const text of texts) text.release();
  for (const each of sessions) await each.release();
  return { model: folder, errors, tokens };
}
