import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Command, CommanderError } from 'commander';
import { messageOf } from '../../engine/errors.ts';
import { collect } from '../../server/cli/commands/options.ts';
import { asExpression } from '../bench/choose-groups.ts';
import { FakeCuda } from '../fake-cuda/fake-cuda.ts';
import { PARITY_CASES, STEP_CASES } from './cases.ts';
import type { MeasuredStep, MeasureRequest } from './measure.ts';
import { placementIn } from './placement.ts';
import { type CheckResult, type ParityResult, resultTable } from './results.ts';

interface Flags {
  readonly json?: true;
  readonly list?: true;
  readonly only?: readonly string[];
  readonly out: string;
  /** Commander's name for `--no-values`. */
  readonly values: boolean;
}

/** Bytes of what ONNX Runtime tells of a large graph. */
const LOG_BYTES = 2 ** 28;

/** Uploads of more bytes are counted on the stand-in and not made: weights of large models are holes. */
const SKIPPED_UPLOAD = 2 ** 18;

/**
 * The program `npm run gpu-check`, from the root of the repository.
 *
 * @param argv as `process.argv`
 * @param programs the folder of the bundled measuring program
 */
export async function main(argv: readonly string[], programs: string): Promise<void> {
  const command = new Command('npm run gpu-check --')
    .description(
      'Check steps of training on an NVIDIA GPU: their numbers against the CPU, where nodes are computed, memory, time. Every measurement has a process of its own.',
    )
    .option('--json', 'print one JSON object a line and write no files')
    .option('--only <name>', 'only this one (* is anything, may be repeated)', collect)
    .option('--list', 'print the names of all')
    .option('--out <file>', 'where to write all results, as JSON', 'gpu-check.json')
    .option(
      '--no-values',
      "without a GPU: ONNX Runtime's CUDA provider on libraries that compute nothing and count what they are asked for",
    )
    .exitOverride();
  try {
    command.parse([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    return;
  }
  try {
    await run(command.opts<Flags>(), programs);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}

async function run({ json, list, only, out, values }: Flags, programs: string): Promise<void> {
  const patterns = only?.map(asExpression);
  const isChosen = ({ name }: { readonly name: string }): boolean =>
    patterns?.some((pattern) => pattern.test(name)) ?? true;
  const [parities, steps] = [PARITY_CASES.filter(isChosen), STEP_CASES.filter(isChosen)];
  const names = [...parities, ...steps].map(({ name }) => name);
  if (names.length === 0) {
    process.stderr.write(`Nothing is called ${only?.join(' or ')}; see --list.\n`);
    process.exitCode = 2;
    return;
  }
  if (list === true) {
    process.stdout.write(names.map((name) => `${name}\n`).join(''));
    return;
  }
  const environment = values ? {} : await standIn(programs);
  const results: CheckResult[] = [];
  const tell = (result: CheckResult): void => {
    results.push(result);
    if (json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
    else process.stderr.write(`${result.name}\n`);
  };
  const measure = (request: Omit<MeasureRequest, 'hasValues'>) =>
    measured({ ...request, hasValues: values }, programs, environment);
  for (const parity of parities) tell((await measure({ parity })).result as ParityResult);
  for (const step of steps) {
    const { result, log } = await measure({ step });
    tell({ name: step.name, ...placementIn(log), ...(result as MeasuredStep) });
  }
  if (json !== true) {
    await writeFile(out, `${JSON.stringify({ values, results }, null, 2)}\n`);
    process.stdout.write(`${resultTable(results)}\n${path.resolve(out)}\n`);
  }
  if (results.some((result) => 'is_equal' in result && !result.is_equal)) process.exitCode = 1;
}

/** Puts the stand-in where the measuring program finds it. */
async function standIn(programs: string): Promise<Readonly<Record<string, string>>> {
  const fake = await FakeCuda.open();
  if (typeof fake === 'string') throw new Error(`There is no stand-in for CUDA here: ${fake}.`);
  await fake.install(programs);
  return { ...fake.environment, FAKE_CUDA_SKIP: String(SKIPPED_UPLOAD) };
}

async function measured(
  request: MeasureRequest,
  programs: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly result: unknown; readonly log: string }> {
  const program = path.join(programs, 'measure.mjs');
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [program, JSON.stringify(request)],
    { env: { ...process.env, ...environment }, maxBuffer: LOG_BYTES },
  );
  return { result: JSON.parse(stdout.trim().split('\n').at(-1)!), log: stderr };
}
