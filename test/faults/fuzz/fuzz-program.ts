import { openSync, writeFileSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { LorafaError } from '../../../engine/errors.ts';
import {
  type FuzzFailure,
  type FuzzJob,
  type FuzzMessage,
  type FuzzReport,
  LIMITS,
} from './fuzz-protocol.ts';
import { makeInput } from './make-input.ts';
import { PeakMemory } from './peak-memory.ts';
import { READERS } from './readers.ts';

/** The process that gives a reader its inputs; see {@link FuzzJob}. */

const job = JSON.parse(process.argv[2]!) as FuzzJob;
const reader = READERS.find(({ name }) => name === job.reader)!;
const peak = new PeakMemory();
const collectGarbage = (globalThis as { gc?: () => void }).gc ?? (() => undefined);
const progress = openSync(job.progressFile, 'w');
let index = job.from;

function send(message: FuzzMessage): void {
  process.send!(message);
}

function fail(kind: FuzzFailure['kind'], details: string): void {
  send({ type: 'failure', failure: { index, kind, details } });
}

/** The stack without the paths of this machine: where equal failures look alike. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = (error.stack ?? error.message).slice(0, 4000).split('\n');
  return lines
    .filter((line) => !line.includes('node:internal'))
    .slice(0, 8)
    .join('\n');
}

process.on('unhandledRejection', (error) => fail('untyped', `unhandled: ${describe(error)}`));
process.on('uncaughtException', (error) => fail('untyped', `uncaught: ${describe(error)}`));

/** Reads what lies in the file. @returns whether it was understood */
async function attempt(read: () => Promise<void>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (!(error instanceof LorafaError)) fail('untyped', describe(error));
    return false;
  } finally {
    // What nobody waits for may still fail.
    await setImmediate();
  }
}

/** The growth of memory by one reading, without what earlier ones left to be collected. */
async function measureAlone(read: () => Promise<void>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let left = 2; left > 0; left--) {
    collectGarbage();
    await setImmediate();
    collectGarbage();
    peak.start();
    await attempt(read);
    least = Math.min(least, peak.growth());
  }
  return least;
}

const { file, seeds, read } = await reader.prepare(job.folder);
for (const seed of seeds) {
  writeFileSync(file, seed);
  if (!(await attempt(read))) {
    fail('untyped', 'An input that it should understand was refused.');
  }
}
let report: FuzzReport = { inputs: 0, understood: 0, refused: 0, cpuSeconds: 0, memory: 0 };
for (index = job.from; index < job.to; index++) {
  writeSync(progress, Buffer.from(BigInt64Array.of(BigInt(index)).buffer), 0, 8, 0);
  const input = makeInput(seeds, reader.kind, job.seed, index);
  writeFileSync(file, input);
  if (job.keep !== undefined) writeFileSync(job.keep, input);
  peak.start();
  const before = process.cpuUsage();
  const isUnderstood = await attempt(read);
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  let memory = peak.growth();
  if (memory - input.length > LIMITS.memory) memory = await measureAlone(read);
  if (memory - input.length > LIMITS.memory) fail('memory', `${Math.round(memory / 2 ** 20)} MiB`);
  if (cpuSeconds > (reader.cpuSeconds ?? LIMITS.cpuSeconds))
    fail('slow', `${cpuSeconds.toFixed(1)} s`);
  report = {
    inputs: report.inputs + 1,
    understood: report.understood + Number(isUnderstood),
    refused: report.refused + Number(!isUnderstood),
    cpuSeconds: Math.max(report.cpuSeconds, cpuSeconds),
    memory: Math.max(report.memory, memory - input.length),
  };
}
send({ type: 'done', report });
process.disconnect();
