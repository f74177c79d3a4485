import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Command, CommanderError } from 'commander';
import { messageOf } from '../../engine/errors.ts';
import { writeFileAtomic } from '../../engine/files/atomic-file.ts';
import { collect } from '../../server/cli/commands/options.ts';
import { asExpression } from '../bench/choose-groups.ts';
import { FakeCuda } from '../fake-cuda/fake-cuda.ts';
import { DEMO, PARITY_CASES, STEP_CASES, type StepCase } from './cases.ts';
import type { MeasureRequest } from './measure.ts';
import { measurePeft, type PeftCase, peftCases } from './peft.ts';
import { placementIn } from './placement.ts';
import { type CheckResult, hasFailed, resultTable } from './results.ts';

/** What is in the file of `--out`. */
interface Results {
  readonly values: boolean;
  readonly results: readonly CheckResult[];
}

interface Flags {
  readonly json?: true;
  readonly list?: true;
  readonly only?: readonly string[];
  readonly out: string;
  readonly peft?: true;
  readonly python: string;
  readonly resume?: true;
  /** Commander's name for `--no-values`. */
  readonly values: boolean;
}

/** Bytes of what ONNX Runtime tells of a large graph. */
const LOG_BYTES = 2 ** 28;

/** Characters that are told of a process that failed. */
const LAST_WORDS = 500;

/** Where {@link file://../../engine/runtime/devices.ts} looks for the program that tries a device out. */
const PROBE = 'probe-device.js';

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
      'Check training on an NVIDIA GPU: numbers of steps against the CPU, the demo, then where nodes of steps are computed, memory, time. Every measurement has a process of its own.',
    )
    .option('--json', 'print one JSON object a line and write no files')
    .option('--only <name>', 'only this one (* is anything, may be repeated)', collect)
    .option('--list', 'print the names of all')
    .option('--out <file>', 'where to write all results, as JSON', 'gpu-check.json')
    .option(
      '--resume',
      'go on where another check ended: what is in the file of --out, and did not fail, is not measured again',
    )
    .option('--peft', 'measure the same steps in PEFT beside them')
    .option(
      '--python <path>',
      'an interpreter with torch, transformers, peft and bitsandbytes',
      'python3',
    )
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

async function run(flags: Flags, programs: string): Promise<void> {
  const { json, list, only, out, values, peft, python, resume } = flags;
  const patterns = only?.map(asExpression);
  const isChosen = ({ name }: { readonly name: string }): boolean =>
    patterns?.some((pattern) => pattern.test(name)) ?? true;
  // Without values PEFT is tried on the CPU, where larger models would take hours.
  const inPeft = (step: StepCase): readonly PeftCase[] =>
    peft === true && (values || step.shape === 'tiny') ? peftCases(step) : [];
  const checks: readonly Check[] = [
    ...PARITY_CASES.map((parity) => ({ name: parity.name, request: { parity } })),
    { name: DEMO, request: { demo: true } } as const,
    ...STEP_CASES.flatMap((step) => [
      { name: step.name, request: { step } },
      ...inPeft(step).map((peft) => ({ name: peft.name, peft })),
    ]),
  ].filter(isChosen);
  const names = checks.map(({ name }) => name);
  if (names.length === 0) {
    process.stderr.write(`Nothing is called ${only?.join(' or ')}; see --list.\n`);
    process.exitCode = 2;
    return;
  }
  if (list === true) {
    process.stdout.write(names.map((name) => `${name}\n`).join(''));
    return;
  }
  const environment = await (values ? onDevice(programs) : standIn(programs));
  const results = resume === true ? await earlierResults(out, values) : [];
  const known = new Set(results.map(({ name }) => name));
  const tell = async (result: CheckResult): Promise<void> => {
    results.push(result);
    if (json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
    else {
      process.stderr.write(`${result.name}\n`);
      // A check takes hours on a slow machine, and may be ended at any time.
      await writeFileAtomic(out, `${JSON.stringify({ values, results }, null, 2)}\n`);
    }
  };
  const measure = (request: Omit<MeasureRequest, 'hasValues'>) =>
    measured({ ...request, hasValues: values }, programs, environment);
  const outcome = async ({ name, request, peft }: Check): Promise<CheckResult> => {
    if (peft !== undefined) return measurePeft(peft, python, values ? 'cuda' : 'cpu');
    const { result, log } = await measure(request);
    const placement = request.step === undefined ? {} : placementIn(log);
    return { name, ...placement, ...(result as object) } as CheckResult;
  };
  // What fails is told with the rest, by the last words of its process: time on such a machine is rare.
  const failed = ({ name }: Check, error: unknown): CheckResult => ({
    name,
    failure: messageOf(error).slice(-LAST_WORDS).trim(),
  });
  for (const check of checks.filter(({ name }) => !known.has(name))) {
    await tell(await outcome(check).catch((error: unknown) => failed(check, error)));
  }
  if (json !== true) {
    process.stdout.write(`${resultTable(results)}\n${path.resolve(out)}\n`);
  }
  if (results.some(hasFailed)) process.exitCode = 1;
}

/** One thing that is checked: by this engine, or by PEFT. */
type Check =
  | {
      readonly name: string;
      readonly request: Omit<MeasureRequest, 'hasValues'>;
      readonly peft?: undefined;
    }
  | { readonly name: string; readonly peft: PeftCase; readonly request?: undefined };

/**
 * What another check wrote, but for what failed.
 *
 * @throws Error where there is none or it cannot be read, or it was one with values and this is not, or the other way round
 */
async function earlierResults(out: string, values: boolean): Promise<CheckResult[]> {
  const earlier: Partial<Results> = await readFile(out, 'utf8')
    .then((text) => JSON.parse(text))
    .catch((error: unknown) => {
      throw new Error(`${out} has nothing to go on with: ${messageOf(error)}`);
    });
  if (earlier.results === undefined || earlier.values !== values) {
    const wanted = values ? 'on a GPU' : 'with --no-values';
    throw new Error(`${out} is no check ${wanted}; leave out --resume, or name another --out.`);
  }
  return earlier.results.filter((result) => !('failure' in result));
}

/** Puts the program that tries a device out where the engine looks for it. */
async function onDevice(programs: string): Promise<Readonly<Record<string, string>>> {
  await writeFile(path.join(programs, PROBE), "import('./probe-device.mjs');\n");
  return {};
}

/** Puts the stand-in where the measuring program finds it, with a trial of devices that it passes. */
async function standIn(programs: string): Promise<Readonly<Record<string, string>>> {
  const fake = await FakeCuda.open();
  if (typeof fake === 'string') throw new Error(`There is no stand-in for CUDA here: ${fake}.`);
  await fake.install(programs);
  await writeFile(path.join(programs, PROBE), '');
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
