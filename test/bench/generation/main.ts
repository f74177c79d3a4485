import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { messageOf } from '../../../engine/errors.ts';
import { numberOption } from '../../../server/cli/commands/options.ts';
import { formatCount } from '../../../server/format.ts';
import { HEAP_ENVIRONMENT } from '../../../server/trainer/heap-environment.ts';
import { BenchProgress } from '../bench-progress.ts';
import { megabytes } from '../group-table.ts';
import { type Program, runMeasurement } from '../measuring-process.ts';
import { nodeProgram } from '../prepare-row.ts';
import { spread } from '../statistics.ts';
import { textTable } from '../text-table.ts';
import { type AnswerRequest, type AnswerSpeed, promptIds } from './answer-speed.ts';

interface Flags {
  readonly llama?: string;
  readonly prompt: number;
  readonly tokens: number;
  readonly threads: number;
  readonly samples: number;
}

/** What is measured of one model by one program. */
interface Row {
  readonly label: string;
  readonly program: Program;
  readonly speeds: AnswerSpeed[];
}

/**
 * The program `npm run bench:generation`, from the root of the repository: how fast models answer, here and with
 * llama.cpp.
 *
 * @param argv as `process.argv`
 * @param programs the folder of the bundled measuring programs
 */
export async function main(argv: readonly string[], programs: string): Promise<void> {
  const count = numberOption({ min: 1, integer: true }, 'a whole number from 1 on');
  const command = new Command('npm run bench:generation --')
    .description(
      'Measure how fast models read a prompt and write after it. Every sample runs in a fresh process, and all models take turns; nothing else should run meanwhile.',
    )
    .argument('<model...>', 'Hugging Face folders and GGUF files')
    .option('--llama <folder>', 'measure GGUF files with this package node-llama-cpp as well')
    .option('--prompt <tokens>', 'tokens of the prompt', count, 512)
    .option('--tokens <count>', 'tokens that are written', count, 64)
    .option('--threads <count>', 'threads', count, 2)
    .option('--samples <count>', 'processes for each row', count, 3)
    .exitOverride();
  try {
    command.parse([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    return;
  }
  try {
    process.stdout.write(await table(command.args, command.opts<Flags>(), programs));
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}

async function table(models: readonly string[], flags: Flags, programs: string): Promise<string> {
  const rows = models.flatMap((model) => rowsOf(model, flags, programs));
  const progress = new BenchProgress(rows.length * flags.samples);
  for (let sample = 0; sample < flags.samples; sample++) {
    for (const { label, program, speeds } of rows) {
      progress.next(`${label}, sample ${sample + 1} of ${flags.samples}`);
      const never = new AbortController().signal;
      speeds.push((await runMeasurement<AnswerSpeed>(program, never)).result);
    }
  }
  progress.clear();
  return textTable(
    ['', 'prompt, tokens/s', 'decode, tokens/s', 'peak RSS, MB'],
    rows.map(({ label, speeds }) => [
      label,
      formatCount((1000 * flags.prompt) / spread(speeds.map(({ promptMs }) => promptMs)).median),
      (1000 / spread(speeds.flatMap(({ tokenMs }) => tokenMs)).median).toFixed(1),
      megabytes(spread(speeds.map(({ peakRss }) => peakRss)).median),
    ]),
  );
}

function rowsOf(model: string, flags: Flags, programs: string): readonly Row[] {
  const { llama, prompt, tokens, threads } = flags;
  const name = path.basename(model);
  const request: AnswerRequest = { model, promptTokens: prompt, newTokens: tokens, threads };
  const own: Row = {
    label: `this engine, ${name}`,
    program: { ...nodeProgram(programs, 'measure-answer', request), env: HEAP_ENVIRONMENT },
    speeds: [],
  };
  if (llama === undefined || !model.endsWith('.gguf')) return [own];
  const script = path.resolve('test', 'bench', 'generation', 'llama-answer.mjs');
  const theirs = JSON.stringify({ ...request, promptIds: promptIds(prompt) });
  return [
    own,
    {
      label: `llama.cpp, ${name}`,
      program: { command: process.execPath, args: [script, path.resolve(llama), theirs] },
      speeds: [],
    },
  ];
}
