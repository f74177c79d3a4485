import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { FuzzFailure, FuzzJob, FuzzMessage, FuzzReport } from './fuzz-protocol.ts';

/** An input whose reading takes longer, whatever it waits for, is taken for one that never ends. */
const HANG_MS = 30_000;

/** Inputs of one process: what one leaves behind does not weigh on many others. */
const INPUTS_PER_PROCESS = 10_000;

/** After so many failures a reader is known to be broken. */
const MAX_FAILURES = 20;

/** What {@link fuzzReader} found. */
export interface FuzzResult extends FuzzReport {
  readonly failures: readonly FuzzFailure[];
  /** Seconds of the whole. */
  readonly seconds: number;
}

/** Whose inputs are read, and which. */
type Inputs = Omit<FuzzJob, 'folder' | 'progressFile'>;

/** Files that are written thousands of times a second had better be in memory. */
function workplace(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
}

/**
 * Gives a reader the inputs `from` to `to` of a seed, in processes of their own: an input that ends
 * or hangs its process is a failure, and the next process goes on behind it.
 *
 * @param program the bundled `fuzz-program.ts`
 */
export async function fuzzReader(
  program: string,
  { reader, seed, from, to, keep }: Inputs,
): Promise<FuzzResult> {
  const start = performance.now();
  const failures: FuzzFailure[] = [];
  let total: FuzzReport = { inputs: 0, understood: 0, refused: 0, cpuSeconds: 0, memory: 0 };
  for (let next = from; next < to && failures.length < MAX_FAILURES; ) {
    const end = Math.min(to, next + INPUTS_PER_PROCESS);
    const part = await runProcess(program, { reader, seed, from: next, to: end, keep });
    failures.push(...part.failures);
    if (part.report !== undefined) total = sum(total, part.report);
    next = part.report === undefined ? part.lastIndex + 1 : end;
  }
  return { ...total, failures, seconds: (performance.now() - start) / 1000 };
}

interface Part {
  readonly failures: readonly FuzzFailure[];
  /** Undefined where the process did not come to its end. */
  readonly report: FuzzReport | undefined;
  /** The input that it was reading last. */
  readonly lastIndex: number;
}

async function runProcess(program: string, inputs: Inputs): Promise<Part> {
  const place = await mkdtemp(path.join(workplace(), 'lorafa-fuzz-'));
  try {
    const folder = path.join(place, 'work');
    await mkdir(folder);
    const job: FuzzJob = { ...inputs, folder, progressFile: path.join(place, 'progress') };
    const child = fork(program, [JSON.stringify(job)], {
      execArgv: ['--expose-gc', '--max-old-space-size=512', '--max-semi-space-size=1'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, HOME: place, FUZZ_ROOT: process.cwd() },
    });
    return await watch(child, job);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function watch(child: ChildProcess, job: FuzzJob): Promise<Part> {
  const failures: FuzzFailure[] = [];
  let report: FuzzReport | undefined;
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-3000);
  });
  child.on('message', (message: FuzzMessage) => {
    if (message.type === 'failure') failures.push(message.failure);
    else report = message.report;
  });
  let isHanging = false;
  let lastSeen = { index: -1, at: performance.now() };
  const timer = setInterval(() => {
    const index = readIndex(job);
    if (index !== lastSeen.index) lastSeen = { index, at: performance.now() };
    isHanging = performance.now() - lastSeen.at > HANG_MS;
    if (isHanging) child.kill('SIGKILL');
  }, 1000);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearInterval(timer);
  // Nothing that is read sends signals.
  if (signal === 'SIGTERM') throw new Error('The process that reads was ended from outside.');
  const lastIndex = readIndex(job);
  if (report === undefined) {
    const kind = isHanging ? 'hang' : 'crash';
    const details = isHanging ? 'It never ended.' : `${signal ?? `exit code ${code}`}: ${errors}`;
    failures.push({ index: lastIndex, kind, details });
  }
  return { failures, report, lastIndex };
}

function readIndex({ progressFile, from }: FuzzJob): number {
  if (!existsSync(progressFile)) return from;
  const bytes = readFileSync(progressFile);
  return bytes.length < 8 ? from : Number(bytes.readBigInt64LE());
}

function sum(a: FuzzReport, b: FuzzReport): FuzzReport {
  return {
    inputs: a.inputs + b.inputs,
    understood: a.understood + b.understood,
    refused: a.refused + b.refused,
    cpuSeconds: Math.max(a.cpuSeconds, b.cpuSeconds),
    memory: Math.max(a.memory, b.memory),
  };
}
