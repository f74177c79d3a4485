import { readFile } from 'node:fs/promises';
import { parseConfig } from '../../engine/config/parse.ts';
import type { ConfigInput } from '../../engine/config/schema.ts';
import { GenerationSessions } from '../../engine/generate/generation-sessions.ts';
import { initAdapter } from '../../engine/lora/init-adapter.ts';
import { resolveTargets } from '../../engine/lora/targets.ts';
import { openRunModel } from '../../engine/plan/run-model.ts';
import { CPU, type Device } from '../../engine/runtime/device.ts';
import { relativeError } from '../support/golden.ts';

/** A model that answers on both devices. */
export interface AnswersCase {
  readonly name: string;
  /** Folder of the model. */
  readonly model: string;
  /** How its weights are stored. */
  readonly quantized?: Partial<ConfigInput['model']>;
}

/** How far WebGPU's logits are from the CPU's. */
export interface ComparedLogits {
  readonly name: string;
  /** Of each run. */
  readonly errors: readonly number[];
  /** Tokens that the CPU chooses, with which both go on. */
  readonly tokens: readonly number[];
  /** Tokens that WebGPU chooses. */
  readonly webgpuTokens: readonly number[];
  /** What of the graph the CPU computes. */
  readonly onCpu: readonly string[];
}

/** More than the slots that a cache begins with are taken, where the model has as many positions. */
const PROMPT_TOKENS = 150;
/** Of them the last piece is read at once; nobody wants the logits of what is before. */
const LAST_PIECE = 50;
const ANSWER = 8;

/*
 * Answers a prompt token by token on the CPU and with WebGPU, both with the token that the CPU finds likeliest. The
 * argument is a file with a list of cases; prints a line of JSON for each.
 */
const cases = JSON.parse(await readFile(process.argv[2]!, 'utf8')) as readonly AnswersCase[];
for (const item of cases) {
  process.stdout.write(`${JSON.stringify(await compared(item))}\n`);
}

async function compared(item: AnswersCase): Promise<ComparedLogits> {
  const config = parseConfig(
    JSON.stringify({
      model: { base_model_name_or_path: item.model, ...item.quantized },
      data: { dataset_name_or_path: 'rows.jsonl' },
      lora: { r: 4, target_modules: 'all-linear' },
      training: { output_dir: 'run' },
    }),
    'run.lorafa.json',
  );
  const model = await openRunModel(config, () => undefined);
  const modules = resolveTargets(config.lora, model.config, model.name);
  const weights = new Map(
    [...initAdapter(modules, 0)].map(([name, values]) => [
      name,
      // An adapter with B of zeros would change nothing.
      Float32Array.from(values, (value, i) => (value === 0 ? 0.02 * Math.sin(i) : value)),
    ]),
  );
  const onCpu: string[] = [];
  const open = (device: Device) =>
    new GenerationSessions(model, {
      ...{ device, threads: 1 },
      onComputedByCpu: (what) => onCpu.push(what),
    });
  const sessions = [open(CPU), open({ kind: 'webgpu', index: 0 })] as const;
  const texts = await Promise.all(sessions.map((each) => each.sequence({ modules, weights })));
  const errors: number[] = [];
  const tokens: number[] = [];
  const webgpuTokens: number[] = [];
  const length = Math.min(PROMPT_TOKENS, model.config.maxPositionEmbeddings - ANSWER);
  const prompt = Array.from({ length }, (_, i) => (7 * i + 3) % 90);
  for (const text of texts) await text.append(prompt.slice(0, -LAST_PIECE), [], length);
  let next: readonly number[] = prompt.slice(-LAST_PIECE);
  while (tokens.length < ANSWER) {
    const [expected, actual] = [await texts[0]!.append(next), await texts[1]!.append(next)];
    errors.push(relativeError(actual, expected));
    tokens.push(likeliest(expected));
    webgpuTokens.push(likeliest(actual));
    next = tokens.slice(-1);
  }
  for (const text of texts) text.release();
  for (const each of sessions) await each.release();
  return { name: item.name, errors, tokens, webgpuTokens, onCpu };
}

function likeliest(logits: Float32Array): number {
  return logits.indexOf(Math.max(...logits));
}
